#include "http/tokens.h"

#include "core/ascii.h"
#include "core/text_lines.h"
#include "core/words.h"

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

std::vector<std::string_view> list_elements(std::string_view list) {
    std::vector<std::string_view> elements;
    while (!list.empty())
        elements.push_back(trimmed(take_until(list, ',')));
    return elements;
}

} // namespace ipcbox::http
