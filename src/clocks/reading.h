// What a clock said, beside ours: an offset, and how far it can be wrong.
//
// Every question bounds the answer (RFC 5905, section 8, as for SNTP): the other clock was read
// after we asked and before the answer came. Its error is half of that time, and what the source
// itself leaves open: a clock that counts whole seconds may be anywhere within one.
#pragma once

#include "core/deadline.h"

#include <chrono>
#include <cstdint>
#include <ctime>

namespace ipcbox::clocks {

// A time of day with all its nanoseconds; it ends in 2262.
using WallTime = std::chrono::sys_time<Duration>;

// The years in which a clock is taken at its word: WallTime can say them all, and so can the
// difference of any two.
constexpr int first_year = 1900;
constexpr int last_year = 2150;

[[nodiscard]] bool is_within_years(std::time_t seconds);
// A time outside of these years becomes their first or last second.
[[nodiscard]] WallTime wall_time(std::time_t seconds);

// When an answer came: by our clock, and how long after the question by a clock that nobody sets.
struct Timing {
    WallTime received{};
    Duration round_trip{};
};

struct Reading {
    WallTime said{};       // what it said
    Duration offset{};     // theirs minus ours; the middle of what it can be
    Duration error{};      // how far the truth can be from OFFSET
    Duration round_trip{}; // of the quickest question
    Duration resolution{}; // of the source
};

// A clock that said SECONDS and counts nothing smaller than RESOLUTION.
[[nodiscard]] Reading reading_of(std::time_t seconds, const Timing& timing,
                                 Duration resolution = std::chrono::seconds{1});

// Two readings of one clock: what both allow. When they exclude each other (one of the clocks was
// set in between) the newer one.
[[nodiscard]] Reading narrowed(const Reading& older, const Reading& newer);

// When to ask again, by our clock, so that the answer halves the error: in the middle of where the
// tick of the other clock can be; not before EARLIEST.
[[nodiscard]] WallTime next_tick_question(const Reading& reading, WallTime earliest);

// The seconds that the manual page's table has: 0 when that is possible, else the nearest.
[[nodiscard]] std::int64_t whole_seconds(const Reading& reading);

// How far the clock is from ours for certain: the offset less the error, and never below 0.
[[nodiscard]] Duration min_deviation(const Reading& reading);

// What a clock announces for the end of this month: nothing, a leap second, or a second that is
// left out. It is unknown to a clock that says that it is not synchronised.
enum class Leap { none, insert, remove, unknown };

// What makes a clock suspicious, whatever it is compared with.
enum class Flag {
    none,
    // It says zero, or the first day of 1900 or of 1970: nobody has told it the time. In 32 bits
    // the first day of 1900 is 7 February 2036, too, which counts unless it is that day.
    not_set,
    day_off // it can be a day or more from ours
};
[[nodiscard]] Flag flag_of(const Reading& reading);

} // namespace ipcbox::clocks
