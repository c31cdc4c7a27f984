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

} // namespace ipcbox
