#include "front/webget/option_values.h"

#include "cli/values.h"
#include "clocks/daytime.h"
#include "cookies/date.h"
#include "core/ascii.h"
#include "core/number.h"
#include "core/text_lines.h"
#include "http/date.h"
#include "http/tokens.h"

#include <algorithm>
#include <climits>
#include <fmt/core.h>
#include <limits>
#include <stdexcept>

namespace ipcbox::front {

namespace {

// Whether curl knows a protocol of this name besides http and https.
bool is_other_protocol(std::string_view name) {
    constexpr std::string_view names[] = {
        "dict", "file",  "ftp",  "ftps",  "gopher", "gophers", "imap", "imaps", "ipfs",
        "ldap", "ldaps", "mqtt", "pop3",  "pop3s",  "rtmp",    "rtsp", "scp",   "sftp",
        "smb",  "smbs",  "smtp", "smtps", "telnet", "tftp",    "ws",   "wss"};
    return std::ranges::find(names, name) != std::end(names);
}

} // namespace

std::string parse_method(std::string_view text) {
    if (!http::is_token(text)) throw std::invalid_argument("expected a method such as GET");
    return std::string{text};
}

std::string parse_one_line(std::string_view text) {
    if (text.find_first_of(std::string_view{"\r\n\0", 3}) != std::string_view::npos)
        throw std::invalid_argument("expected one line");
    return std::string{text};
}

LoginText parse_login(std::string_view text) {
    const auto line = parse_one_line(text);
    const auto colon = line.find(':');
    if (colon == std::string::npos) return {{line, ""}, false};
    return {{line.substr(0, colon), line.substr(colon + 1)}, true};
}

std::string parse_range(std::string_view text) {
    if (text.empty() || text.find_first_not_of("0123456789-,") != std::string_view::npos ||
        text.find('-') == std::string_view::npos)
        throw std::invalid_argument("expected bytes such as 0-499, 500- or -500");
    return std::string{text};
}

std::optional<std::uint64_t> parse_byte_limit(std::string_view text) {
    const auto wrong = [] {
        return std::invalid_argument("expected a number of bytes such as 4096, 100k or 1M");
    };
    if (text.empty()) throw wrong();
    auto digits = text;
    std::size_t power = 0;
    if (!ascii::is_digit(text.back())) {
        constexpr std::string_view units = "BKMGTP";
        power = units.find(ascii::upper(text.back()));
        if (power == std::string_view::npos) throw wrong();
        digits.remove_suffix(1);
    }
    const auto number = whole_number<std::uint64_t>(digits);
    constexpr auto max = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (!number || *number > max >> (10 * power)) throw wrong();
    if (*number == 0) return std::nullopt;
    return *number << (10 * power);
}

std::optional<Duration> parse_optional_duration(std::string_view text) {
    const auto duration = cli::parse_duration(text);
    if (duration == Duration::zero()) return std::nullopt;
    return duration;
}

int parse_max_redirects(std::string_view text) {
    return text == "-1" ? INT_MAX : cli::number_between(0, INT_MAX)(text);
}

std::optional<std::uint64_t> parse_offset_or_dash(std::string_view text) {
    if (text == "-") return std::nullopt;
    const auto offset = whole_number<std::uint64_t>(text);
    if (!offset)
        throw std::invalid_argument(
            "expected a number of bytes, or - to find the offset automatically");
    return offset;
}

std::optional<std::time_t> parse_date(std::string_view text) {
    const auto now = std::time(nullptr);
    if (const auto date = http::parse_http_date(text, now)) return date;
    // The date of a cookie ignores a zone, which can only follow a time of day.
    if (text.find(':') != std::string_view::npos) {
        const auto date = clocks::parse_daytime(text, now, clocks::ZonelessTime::is_utc);
        return date ? std::optional{date->time} : std::nullopt;
    }
    // A day begins at midnight. 20260131 is 2026-01-31.
    std::string day{text};
    constexpr std::size_t digits_of_day = 8;
    if (day.size() == digits_of_day && whole_number<unsigned>(day))
        day.insert(6, "-").insert(4, "-");
    day += " 00:00:00";
    if (const auto date = clocks::parse_daytime(day, now, clocks::ZonelessTime::is_utc))
        return date->time;
    return cookies::parse_date(day);
}

Schemes parse_schemes(std::string_view text, Schemes initial) {
    auto schemes = initial;
    while (!text.empty()) {
        const auto whole = text.substr(0, text.find(','));
        text.remove_prefix(std::min(whole.size() + 1, text.size()));
        auto part = trimmed(whole);
        const char sign = part.empty() || ascii::is_letter(part.front()) ? '+' : part.front();
        if (!part.empty() && !ascii::is_letter(part.front())) part.remove_prefix(1);
        const auto name = ascii::lower(part);
        const bool is_all = name == "all";
        if (sign != '+' && sign != '-' && sign != '=')
            throw std::invalid_argument("expected protocols such as =https");
        if (!is_all && name != "http" && name != "https" && !is_other_protocol(name))
            throw std::invalid_argument(fmt::format("there is no protocol '{}'", name));
        if (sign == '=') schemes = {false, false};
        if (is_all || name == "http") schemes.http = sign != '-';
        if (is_all || name == "https") schemes.https = sign != '-';
    }
    return schemes;
}

} // namespace ipcbox::front
