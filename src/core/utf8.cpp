#include "core/utf8.h"

#include <algorithm>

namespace ipcbox {

std::size_t utf8_length(std::string_view text) noexcept {
    if (text.empty()) return 0;
    const auto byte = [text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
    const auto first = byte(0);
    const std::size_t length = first < 0x80                     ? 1
                               : first >= 0xc2 && first <= 0xdf ? 2
                               : first >= 0xe0 && first <= 0xef ? 3
                               : first >= 0xf0 && first <= 0xf4 ? 4
                                                                : 0;
    if (length == 0 || length > text.size()) return 0;
    for (std::size_t at = 1; at < length; ++at)
        if ((byte(at) & 0xc0U) != 0x80) return 0;
    if (length == 1) return 1;
    const auto second = byte(1);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
        (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
        return 0;
    return length;
}

std::size_t utf8_unfinished(std::string_view text) noexcept {
    constexpr std::size_t longest = 3;
    for (std::size_t back = 1; back <= std::min(longest, text.size()); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if (byte < 0x80) return 0;
        if (byte < 0xc0) continue; // a continuation byte
        const std::size_t length = byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
        return length > back ? back : 0;
    }
    return 0;
}

} // namespace ipcbox
