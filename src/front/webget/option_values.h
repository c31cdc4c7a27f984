// The values of webget's options, as curl reads them. Each parser throws std::invalid_argument with
// what was expected.
#pragma once

#include "core/deadline.h"
#include "http/url.h"

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::front {

// -X: a token (RFC 9110, section 9.1), in the letters that it is written in.
[[nodiscard]] std::string parse_method(std::string_view text);

// A value that goes into the head of a request: without line ends and null bytes.
[[nodiscard]] std::string parse_one_line(std::string_view text);

// -u, -U: "user:password"; only the first colon counts. Without one the password is empty, and
// has_password is false.
struct LoginText {
    http::Credentials login;
    bool has_password = true;
};
[[nodiscard]] LoginText parse_login(std::string_view text);

// -r: "0-499", "500-", "-500", "0-0,-1".
[[nodiscard]] std::string parse_range(std::string_view text);

// Bytes: a number, optionally with one of B, K, M, G, T, P in either case, in powers of 1024. 0
// means no limit and gives nothing.
[[nodiscard]] std::optional<std::uint64_t> parse_byte_limit(std::string_view text);

// A duration as in all applets. 0 means no limit, or the default, and gives nothing.
[[nodiscard]] std::optional<Duration> parse_optional_duration(std::string_view text);

// --max-redirs: -1 means no limit.
[[nodiscard]] int parse_max_redirects(std::string_view text);

// -C: nothing for "-".
[[nodiscard]] std::optional<std::uint64_t> parse_offset_or_dash(std::string_view text);

// -z: a date, such as "2026-01-31", "Sat, 31 Jan 2026 10:00:00 GMT", "31 Jan 2026" or "Sat Jan 31
// 11:00:00 CET 2026". Without a zone, it is in UTC.
[[nodiscard]] std::optional<std::time_t> parse_date(std::string_view text);

// --proto: which of http and https may be used.
struct Schemes {
    bool http = true;
    bool https = true;

    [[nodiscard]] bool allow(const http::Url& url) const { return url.is_https() ? https : http; }
};
// "=https", "-http", "-all,https", "https": parts between commas, applied to INITIAL from the left.
// A part with - removes a protocol, one with + or without a sign adds one, and one with = allows
// only that one. Names of other protocols have no effect.
[[nodiscard]] Schemes parse_schemes(std::string_view text, Schemes initial = {});

} // namespace ipcbox::front
