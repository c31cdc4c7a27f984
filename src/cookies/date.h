// The dates of cookies, which servers write in a dozen ways (RFC 6265, section 5.1.1).
#pragma once

#include <ctime>
#include <optional>
#include <string_view>

namespace ipcbox::cookies {

// Finds a time, a day, a month and a year in any order, between any separators: "Sun, 06 Nov 1994
// 08:49:37 GMT", "06-Nov-94 08:49:37", "Nov 6 1994 08:49:37". The time is UTC. Nothing when one of
// the four is missing, or the day does not exist.
[[nodiscard]] std::optional<std::time_t> parse_date(std::string_view text);

} // namespace ipcbox::cookies
