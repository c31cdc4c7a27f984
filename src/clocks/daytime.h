// The Daytime Protocol (RFC 867): the time as text, for which the RFC defines no grammar.
#pragma once

#include "clocks/reading.h"
#include "core/deadline.h"

#include <chrono>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::clocks {

// A zone that was chosen among several of the same name: "CST", at UTC-06:00.
struct GuessedZone {
    std::string name;
    std::chrono::minutes ahead{}; // of UTC
};

struct Daytime {
    std::time_t time = 0;
    bool states_zone = false; // otherwise it was taken for local time, as inetd(8) sends it
    std::optional<GuessedZone> guessed_zone = {};
    Duration resolution = std::chrono::seconds{1}; // a minute when the text has no seconds
    // Only NIST's servers report these about themselves: an announced leap second, and a health
    // digit that is 0 while all is well.
    Leap leap = Leap::none;
    std::optional<unsigned> health = {};
    Duration doubt{}; // how far such a server may be off: 0 for a healthy one
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
//     Nov 24 2026 02:55:01                                 also "Nov 24, 2026", or the time first
//     Nov 24 02:55:01 2026 GMT                             openssl x509 -enddate
//
// AM or PM can follow every time except that of RFC 867's first proposal, ISO 8601 and RFC 850. The
// zones that are known by name are listed in http/date_form.cpp. All forms except NIST's and RFC
// 867's first one can omit the zone, and ZONELESS says what that means. Of several zones with the
// same name (CST, IST), the one that gives the time nearest to NOW is taken if that is within a day
// of NOW, and otherwise the American or European one. A year of two digits means the one nearest to
// NOW, or to NIST's day. Returns nothing for impossible times (hour 25, 30 February, a day other
// than NIST's) and for years outside 1900 to 2150. The day of the week is not checked.
[[nodiscard]] std::optional<Daytime> parse_daytime(std::string_view text, std::time_t now,
                                                   ZonelessTime zoneless = ZonelessTime::is_local);

// A server's answer: "Tue Nov 24 02:55:01 2026\r\n", in local time, as inetd(8) sends it.
[[nodiscard]] std::string daytime_text(std::time_t time);

// "2026-11-24T02:55:01Z", UTC.
[[nodiscard]] std::string iso_time(std::time_t time);

} // namespace ipcbox::clocks
