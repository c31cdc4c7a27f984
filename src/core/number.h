// Numbers in text.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace ipcbox {

// The number that is all of TEXT, or nothing.
template <class Number>
[[nodiscard]] std::optional<Number> whole_number(std::string_view text, int base = 10) {
    Number value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size() || text.empty())
        return std::nullopt;
    return value;
}

// The number in "12", "0.5" or ".5" that is all of TEXT, or nothing. No sign, no exponent, no
// "inf".
[[nodiscard]] inline std::optional<double> whole_decimal(std::string_view text) {
    double value = 0;
    const auto* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, value, std::chars_format::fixed);
    const bool is_plain = text.find_first_not_of("0123456789.") == std::string_view::npos;
    if (error != std::errc{} || end != last || text.empty() || !is_plain) return std::nullopt;
    return value;
}

} // namespace ipcbox
