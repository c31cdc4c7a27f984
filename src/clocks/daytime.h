// The Daytime Protocol (RFC 867): the time in words, for which there is no grammar.
#pragma once

#include "core/deadline.h"

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::clocks {

struct Daytime {
    std::time_t time = 0;
    bool states_zone = false; // else it was taken for local time, as servers mean it that say none
    Duration resolution = std::chrono::seconds{1}; // a minute when it says no seconds
};

// No text has as many bytes.
constexpr std::size_t most_daytime_bytes = 512;

// An answer without the blanks and line ends around it.
[[nodiscard]] std::string_view daytime_words(std::string_view answer);

// The time in TEXT, if it has one of these forms, with blanks and line ends around it:
//
//     60638 24-11-24 02:55:01 00 0 0 713.5 UTC(NIST) *     NIST: modified Julian day, UTC
//     Tue Nov 24 02:55:01 2026                             ctime(3), as inetd(8) says it
//     Tue Nov 24 02:55:01 UTC 2026                         date(1)
//     Tuesday, November 24, 2026 02:55:01-UTC              RFC 867's first proposal
//     24 NOV 2026 02:55:01 CET                             its second; "22 FEB 82 17:37:43 PST"
//     2026-11-24T02:55:01+01:00                            ISO 8601, also with a blank for the T
//     Tue, 24 Nov 2026 02:55:01 +0100                      RFC 5322
//     2:55:01 AM 11/24/2026                                Windows' Simple TCP/IP Services
//
// The names of zones that are known are UTC, GMT, Z and those of RFC 5322 (EST … PDT), and CET,
// CEST, MET, MEST, EET, EEST, WET, WEST, BST, JST, MSK; all but NIST's and RFC 867's first form
// may say none. Of two digits, a year is the one nearest to NOW, or to NIST's day. Times that
// cannot be (hour 25, 30 February, another day than NIST's) and years outside of 1900 to 2150 are
// no times; whether it was a Tuesday is not checked.
[[nodiscard]] std::optional<Daytime> parse_daytime(std::string_view text, std::time_t now);

// What a server says: "Tue Nov 24 02:55:01 2026\r\n", local time, as inetd(8) has it.
[[nodiscard]] std::string daytime_text(std::time_t time);

// "2026-11-24T02:55:01Z", UTC.
[[nodiscard]] std::string iso_time(std::time_t time);

} // namespace ipcbox::clocks
