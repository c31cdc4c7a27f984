// Services and their ports: services(5). The few that our applets speak are built in, for machines
// without the file.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ipcbox {

// The port for "8080" or "http"; nothing when it is neither a number from 0 to 65535 nor known.
[[nodiscard]] std::optional<std::uint16_t> service_port(std::string_view text);

} // namespace ipcbox
