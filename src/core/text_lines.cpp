#include "core/text_lines.h"

#include "core/words.h"

#include <algorithm>

namespace ipcbox {

std::string_view without_byte_order_mark(std::string_view text) {
    constexpr std::string_view mark = "\xef\xbb\xbf";
    if (text.starts_with(mark)) text.remove_prefix(mark.size());
    return text;
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blanks = " \t\r";
    const auto first = std::min(text.find_first_not_of(blanks), text.size());
    return text.substr(first, text.find_last_not_of(blanks) + 1 - first);
}

std::optional<TextLine> TextLines::next() {
    if (left_.empty()) return std::nullopt;
    auto text = take_until(left_, '\n');
    if (text.ends_with('\r')) text.remove_suffix(1);
    return TextLine{text, ++number_};
}

} // namespace ipcbox
