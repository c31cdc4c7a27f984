#include "core/words.h"

#include <algorithm>

namespace ipcbox {

std::string_view take_until(std::string_view& text, char separator) {
    const auto piece = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(piece.size() + 1, text.size()));
    return piece;
}

std::string_view take_while_in(std::string_view& text, std::string_view set) {
    const auto piece = text.substr(0, text.find_first_not_of(set));
    text.remove_prefix(piece.size());
    return piece;
}

std::string_view take_until_any_of(std::string_view& text, std::string_view set) {
    const auto piece = text.substr(0, text.find_first_of(set));
    text.remove_prefix(piece.size());
    return piece;
}

std::string_view take_word(std::string_view& text, std::string_view blanks) {
    (void)take_while_in(text, blanks);
    return take_until_any_of(text, blanks);
}

} // namespace ipcbox
