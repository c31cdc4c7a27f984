// The words and lists of HTTP: RFC 9110, section 5.6.
#pragma once

#include <string_view>
#include <vector>

namespace ipcbox::http {

// A token is the name of a field, a method or a scheme: at least one byte of a small set.
[[nodiscard]] bool is_token_byte(char byte);
[[nodiscard]] bool is_token(std::string_view text);

// The elements between the commas of LIST, without the blanks around them. Some can be empty.
[[nodiscard]] std::vector<std::string_view> list_elements(std::string_view list);

} // namespace ipcbox::http
