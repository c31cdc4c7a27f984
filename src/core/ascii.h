// Bytes as ASCII, in any locale, because protocols and their files are written in ASCII.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::ascii {

[[nodiscard]] constexpr bool is_digit(char byte) {
    return byte >= '0' && byte <= '9';
}

[[nodiscard]] constexpr bool is_letter(char byte) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z');
}

// C0 and DEL. Bytes above 0x7f are not ASCII, and can be part of UTF-8.
[[nodiscard]] constexpr bool is_control(char byte) {
    return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f;
}

[[nodiscard]] constexpr bool is_ascii(char byte) {
    return static_cast<unsigned char>(byte) < 0x80;
}

[[nodiscard]] constexpr char lower(char byte) {
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
}

[[nodiscard]] constexpr char upper(char byte) {
    return byte >= 'a' && byte <= 'z' ? static_cast<char>(byte - 'a' + 'A') : byte;
}

[[nodiscard]] inline std::string lower(std::string_view text) {
    std::string lowered{text};
    std::ranges::transform(lowered, lowered.begin(), [](char byte) { return lower(byte); });
    return lowered;
}

[[nodiscard]] constexpr bool same_but_for_case(std::string_view one, std::string_view other) {
    return std::ranges::equal(one, other,
                              [](char left, char right) { return lower(left) == lower(right); });
}

// The value of a hexadecimal digit, or nothing.
[[nodiscard]] constexpr std::optional<unsigned> hex_value(char byte) {
    if (is_digit(byte)) return static_cast<unsigned>(byte - '0');
    const char letter = lower(byte);
    if (letter >= 'a' && letter <= 'f') return static_cast<unsigned>(letter - 'a' + 10);
    return std::nullopt;
}

} // namespace ipcbox::ascii
