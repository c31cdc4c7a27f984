// The words of HTTP: names of fields, methods and schemes (RFC 9110, section 5.6.2).
#pragma once

#include <string_view>

namespace ipcbox::http {

[[nodiscard]] bool is_token_byte(char byte);
// At least one byte, all of them a token's.
[[nodiscard]] bool is_token(std::string_view text);

} // namespace ipcbox::http
