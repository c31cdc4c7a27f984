// The Daytime Protocol (RFC 867): the time in words, for which the RFC sets no grammar.
#pragma once

#include "clocks/reading.h"
#include "core/deadline.h"

#include <chrono>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::clocks {

// A zone that was chosen among several of one name: "CST", at UTC-06:00.
struct GuessedZone {
    std::string name;
    std::chrono::minutes ahead{}; // of UTC
};

struct Daytime {
    std::time_t time = 0;
    bool states_zone = false; // else it was taken for local time, which inetd(8) means
    std::optional<GuessedZone> guessed_zone = {};
    Duration resolution = std::chrono::seconds{1}; // a minute when the text has no seconds
    // What NIST's servers, and no others, say of themselves: an announced leap second, and a digit
    // that is 0 while all is well.
    Leap leap = Leap::none;
    std::optional<unsigned> health = {};
    Duration doubt{}; // how wrong such a server may be: 0 for a healthy one
};

// An answer of this size or more is not read.
constexpr std::size_t max_daytime_bytes = 512;

// An answer without the blanks and line ends around it.
[[nodiscard]] std::string_view daytime_words(std::string_view answer);

enum class ZonelessTime { is_local, is_utc };

// The time in TEXT, if it has one of these forms, with any blanks and line ends around it:
//
//     60638 24-11-24 02:55:01 00 0 0 713.5 UTC(NIST) *     NIST: modified Julian day, UTC
//     Tue Nov 24 02:55:01 2026                             ctime(3), as inetd(8) says it
//     Tue Nov 24 02:55:01 UTC 2026                         date(1)
//     Tue 24 Nov 2026 02:55:01 AM UTC                      date(1) in English locales
//     Tuesday, November 24, 2026 02:55:01-UTC              RFC 867's first proposal
//     24 NOV 2026 02:55:01 CET                             its second; "22 FEB 82 17:37:43 PST"
//     2026-11-24T02:55:01+01:00                            ISO 8601, also with a blank for the T
//     2026/11/24 02:55:01                                  the same with slashes
//     Tue, 24 Nov 2026 02:55:01 +0100                      RFC 5322, and HTTP
//     Tuesday, 24-Nov-26 02:55:01 GMT                      RFC 850
//     24.11.2026 02:55:01                                  also with the time first
//     2:55:01 AM 11/24/2026                                Windows' Simple TCP/IP Services
//
// AM or PM may stand behind every time but that of RFC 867's first proposal, ISO 8601 and RFC 850.
// The zones that are known by name are listed in http/date_form.cpp. All forms but NIST's and RFC
// 867's first one may omit the zone, and ZONELESS says what that means. Of several zones with one
// name (CST, IST), the one that makes the time nearest to NOW is taken if that is within a day,
// else the American or European one. A year of two digits is the one nearest to NOW, or to NIST's
// day. Nothing for times that cannot be (hour 25, 30 February, another day than NIST's) and for
// years outside of 1900 to 2150; whether it was a Tuesday is not checked.
[[nodiscard]] std::optional<Daytime> parse_daytime(std::string_view text, std::time_t now,
                                                   ZonelessTime zoneless = ZonelessTime::is_local);

// What a server says: "Tue Nov 24 02:55:01 2026\r\n", local time, as inetd(8) has it.
[[nodiscard]] std::string daytime_text(std::time_t time);

// "2026-11-24T02:55:01Z", UTC.
[[nodiscard]] std::string iso_time(std::time_t time);

} // namespace ipcbox::clocks
