// Dates as HTTP has them (RFC 9110, section 5.6.7), in any locale and time zone.
#pragma once

#include "core/deadline.h"

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::http {

// "Sun, 06 Nov 1994 08:49:37 GMT". A time before the year 0 or after the year 9999 becomes the
// first or last second of these years.
[[nodiscard]] std::string http_date(std::time_t time);

// The time in TEXT, in the form that http_date() writes or in one of the two old forms: "Sunday,
// 06-Nov-94 08:49:37 GMT" and "Sun Nov 6 08:49:37 1994". Nothing for any other text, and for a day
// that does not exist. The weekday is not checked. A year of two digits is at most 50 years ahead
// of NOW.
[[nodiscard]] std::optional<std::time_t> parse_http_date(std::string_view text, std::time_t now);

// The wait that a Retry-After field asks for (RFC 9110, section 10.2.3), in seconds or until a
// date: zero for a date in the past, Duration::max() for more than a Duration can hold. Nothing for
// any other text.
[[nodiscard]] std::optional<Duration> parse_retry_after(std::string_view text, std::time_t now);

} // namespace ipcbox::http
