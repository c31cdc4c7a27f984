#include "front/client/display_width.h"

#include <algorithm>
#include <array>

namespace ipcbox::front {

namespace {

char32_t decode(std::string_view character) {
    const auto lead = static_cast<unsigned char>(character.front());
    if (character.size() == 1) return lead;
    char32_t value = lead & (0x7fU >> character.size());
    for (const char byte : character.substr(1))
        value = value << 6 | (static_cast<unsigned char>(byte) & 0x3fU);
    return value;
}

struct Range {
    char32_t first;
    char32_t last;
};

// Characters two columns wide (Unicode's East Asian Width W and F, in blocks), and the combining
// marks, which have no column of their own.
constexpr std::array wide{
    Range{0x1100, 0x115f},   Range{0x2e80, 0x303e},   Range{0x3041, 0xa4cf},
    Range{0xac00, 0xd7a3},   Range{0xf900, 0xfaff},   Range{0xfe30, 0xfe6f},
    Range{0xff00, 0xff60},   Range{0xffe0, 0xffe6},   Range{0x1f300, 0x1f64f},
    Range{0x1f680, 0x1f6ff}, Range{0x1f900, 0x1f9ff}, Range{0x20000, 0x3fffd}};
constexpr std::array combining{Range{0x300, 0x36f}, Range{0x200b, 0x200f}, Range{0x20d0, 0x20ff},
                               Range{0xfe00, 0xfe0f}, Range{0xfe20, 0xfe2f}};

template <class Ranges> bool is_among(char32_t value, const Ranges& ranges) {
    return std::ranges::any_of(
        ranges, [=](const Range& range) { return value >= range.first && value <= range.last; });
}

std::size_t width_of(std::string_view character) {
    const auto value = decode(character);
    if (is_among(value, combining)) return 0;
    return is_among(value, wide) ? 2 : 1;
}

} // namespace

std::string_view first_character(std::string_view text) {
    constexpr std::size_t max_size = 4; // in UTF-8
    std::size_t end = 1;
    while (end < std::min(text.size(), max_size) && continues_character(text[end]))
        ++end;
    return text.substr(0, end);
}

bool continues_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    while (!text.empty()) {
        const auto character = first_character(text);
        width += width_of(character);
        text.remove_prefix(character.size());
    }
    return width;
}

std::string_view end_that_fits(std::string_view text, std::size_t columns) {
    for (auto width = display_width(text); width > columns;) {
        const auto character = first_character(text);
        width -= width_of(character);
        text.remove_prefix(character.size());
    }
    return text;
}

std::string_view begin_that_fits(std::string_view text, std::size_t columns) {
    std::size_t end = 0;
    for (std::size_t width = 0; end < text.size();) {
        const auto character = first_character(text.substr(end));
        width += width_of(character);
        if (width > columns) break;
        end += character.size();
    }
    return text.substr(0, end);
}

} // namespace ipcbox::front
