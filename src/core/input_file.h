// A file that a user names as input, where "-" means standard input.
#pragma once

#include <string>
#include <string_view>

namespace ipcbox {

// The name for messages: "standard input" for "-".
[[nodiscard]] std::string_view input_name(std::string_view name);

// All of the file, or of standard input. Throws SysError, and Error when there are more than LIMIT
// bytes.
[[nodiscard]] std::string read_input(const std::string& name, std::size_t limit);

} // namespace ipcbox
