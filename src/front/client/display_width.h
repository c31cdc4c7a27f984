// The characters of a text in UTF-8, and the columns that they take on a terminal.
#pragma once

#include <cstddef>
#include <string_view>

namespace ipcbox::front {

// The character at the front of TEXT, which is not empty. A byte that is not UTF-8 counts as one.
[[nodiscard]] std::string_view first_character(std::string_view text);
// Whether BYTE is inside a character: not its first byte.
[[nodiscard]] bool continues_character(char byte);

// How many columns TEXT takes. A control character counts as one.
[[nodiscard]] std::size_t display_width(std::string_view text);

// The longest end of TEXT that fits into COLUMNS, and the longest beginning.
[[nodiscard]] std::string_view end_that_fits(std::string_view text, std::size_t columns);
[[nodiscard]] std::string_view begin_that_fits(std::string_view text, std::size_t columns);

} // namespace ipcbox::front
