#include "cluster/token_keys.h"

#include "core/number.h"
#include "http/url.h"

#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::cluster {

namespace {

std::optional<std::uint32_t> number_in(std::string_view text) {
    constexpr int hexadecimal = 16;
    if (text.starts_with("0x") || text.starts_with("0X"))
        return whole_number<std::uint32_t>(text.substr(2), hexadecimal);
    // 010 is 8 to ipcrm(1).
    if (text.starts_with('0')) return std::nullopt;
    return whole_number<std::uint32_t>(text);
}

} // namespace

TokenKeys TokenKeys::parse(std::string_view text, std::string_view prefix) {
    if (text.starts_with('@') && text.size() > 1)
        return {std::string{text},
                fmt::format("{}{}", prefix, http::percent_encoded(text.substr(1)))};
    if (text.find('/') != std::string_view::npos)
        throw std::invalid_argument(
            "expected @name or a number: a path names a file of this host only");
    const auto number = number_in(text);
    if (!number || *number == 0) throw std::invalid_argument("expected @name, 1234 or 0x4d2");
    return {std::string{text}, fmt::format("{}key:{}", prefix, *number)};
}

std::string TokenKeys::entry(std::int64_t lease) const {
    return fmt::format("{}/queue/{:016x}", place_, static_cast<std::uint64_t>(lease));
}

} // namespace ipcbox::cluster
