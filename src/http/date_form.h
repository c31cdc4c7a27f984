// Parses dates in text by a form like that of strptime(3), in any locale and time zone. HTTP's
// dates (http/date.h) and those of daytime servers (clocks/daytime.h) are lists of forms.
#pragma once

#include "core/deadline.h"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::http {

// The parts of a date that a text states.
struct WrittenDate {
    unsigned year = 0;
    bool is_year_short = false; // of two digits
    unsigned month = 0;
    unsigned day = 0;
    std::chrono::seconds clock{}; // since midnight; a leap second is the next one, as for Unix
    Duration resolution{};        // a second, or a minute when the text has no seconds
    // How far its zone is ahead of UTC. Empty when the text has no zone. A zone's name with several
    // meanings has several entries, the North American or European one first.
    std::vector<std::chrono::minutes> zones;
    std::string zone_name;           // "CST", when it has a name
    std::vector<unsigned> numbers{}; // of %n, in their order

    // The day; nothing when it does not exist. A year of two digits is the last such year that is
    // not after LATEST.
    [[nodiscard]] std::optional<std::chrono::sys_days> day_of(std::chrono::year latest) const;
};

// exact: case counts, a blank is one, numbers have all their digits.
// lenient: case does not count, a blank is one or more blanks or tabs, %d and %m and the hour have
// one digit or two, a year four or two, and names are whole or abbreviated.
enum class Strictness { exact, lenient };

// The date in TEXT, if all of it has this form:
//
//     %a %A     the name of a weekday, abbreviated or whole
//     %b        the name of a month, abbreviated (lenient: or whole)
//     %d %e     a day of two digits; of two columns, padded with a blank
//     %m        a month of two digits
//     %Y %y     a year of four digits, of two
//     %T        02:55:01; lenient also 2:55:01, 02:55:01.123 and 02:55
//     %p %P     AM or PM, which makes %T one of twelve hours; the same with blanks before it, or
//               nothing at all
//     %z %Z     a zone: "CET", "+0100", "+01:00", "+01"; the same with blanks before it, or nothing
//     %n %w     any number, any word
//
// Everything else stands for itself. Nothing for times that cannot be (hour 25, month 13);
// whether that day was a Tuesday is not checked.
[[nodiscard]] std::optional<WrittenDate> parse_date(std::string_view text, std::string_view form,
                                                    Strictness strictness);

} // namespace ipcbox::http
