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

std::optional<TokenKeys> TokenKeys::of_key(std::string_view key, std::string_view prefix) {
    if (!key.starts_with(prefix)) return std::nullopt;
    const auto rest = key.substr(prefix.size());
    const auto name = rest.substr(0, rest.find('/'));
    const auto kind = rest.substr(name.size());
    if (name.empty() || (kind != "/slots" && !kind.starts_with("/queue/"))) return std::nullopt;
    constexpr std::string_view number = "key:";
    auto text = name.starts_with(number) ? std::string{name.substr(number.size())}
                                         : "@" + http::percent_decoded(name);
    return TokenKeys{std::move(text), fmt::format("{}{}", prefix, name)};
}

std::string TokenKeys::entry(std::int64_t lease) const {
    return fmt::format("{}/queue/{:016x}", place_, static_cast<std::uint64_t>(lease));
}

} // namespace ipcbox::cluster
