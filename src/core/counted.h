// A number with its noun: "1 slot", "3 slots", "0 processes".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ipcbox {

// MORE is the plural; empty: ONE with an s.
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view one,
                                  std::string_view more = {});

} // namespace ipcbox
