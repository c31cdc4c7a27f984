#include "http/tokens.h"

#include "core/ascii.h"

#include <algorithm>

namespace ipcbox::http {

bool is_token_byte(char byte) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return ascii::is_digit(byte) || ascii::is_letter(byte) ||
           marks.find(byte) != std::string_view::npos;
}

bool is_token(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_token_byte);
}

} // namespace ipcbox::http
