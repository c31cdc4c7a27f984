// Taking a text apart from its front: each function returns a piece of TEXT and removes it. The
// pieces are views of the same bytes.
#pragma once

#include <string_view>

namespace ipcbox {

// Takes the text up to the first SEPARATOR, and removes the separator too; all of TEXT when there
// is none. Two separators in a row have an empty piece between them.
//
//     for (std::string_view left = list; !left.empty();)
//         use(take_until(left, ','));
[[nodiscard]] std::string_view take_until(std::string_view& text, char separator);

// Takes the bytes at the front that are in SET, or those up to the first one that is.
[[nodiscard]] std::string_view take_while_in(std::string_view& text, std::string_view set);
[[nodiscard]] std::string_view take_until_any_of(std::string_view& text, std::string_view set);

// Takes the next word, without the BLANKS before it; those after it stay. Empty when no word is
// left.
[[nodiscard]] std::string_view take_word(std::string_view& text,
                                         std::string_view blanks = " \t\r\n");

} // namespace ipcbox
