// What a clock said, compared with ours: an offset, and how far it can be wrong.
//
// Every question bounds the answer (RFC 5905, section 8, as for SNTP), because the other clock was
// read after we asked and before the answer came. The error is half of that time, plus the
// uncertainty of the source itself: a clock that counts whole seconds can be anywhere within one.
#pragma once

#include "core/deadline.h"

#include <chrono>
#include <cstdint>
#include <ctime>

namespace ipcbox::clocks {

// A time of day with all its nanoseconds; it ends in 2262.
using WallTime = std::chrono::sys_time<Duration>;

// The years that are accepted from a clock. WallTime can represent them all, and Duration the
// difference of any two.
constexpr int first_year = 1900;
constexpr int last_year = 2150;

[[nodiscard]] bool is_within_years(std::time_t seconds);
// A time outside these years becomes their first or last second.
[[nodiscard]] WallTime wall_time(std::time_t seconds);

// When an answer came: by our clock; and how long after the question, by a clock that nobody sets.
struct Timing {
    WallTime received{};
    Duration round_trip{};
};

struct Reading {
    WallTime said{};       // what it said
    Duration offset{};     // theirs minus ours; the middle of the possible interval
    Duration error{};      // how far the truth can be from OFFSET
    Duration round_trip{}; // of the quickest question
    Duration resolution{}; // of the source
};

// A clock that said SECONDS and counts nothing smaller than RESOLUTION.
[[nodiscard]] Reading reading_of(std::time_t seconds, const Timing& timing,
                                 Duration resolution = std::chrono::seconds{1});

// Combines two readings of one clock into the interval that both allow. When they exclude each
// other (one of the clocks was set in between), returns the newer one.
[[nodiscard]] Reading narrowed(const Reading& older, const Reading& newer);

// When to ask again, by our clock, so that the answer halves the error: in the middle of the
// interval in which the tick of the other clock can be, but not before EARLIEST.
[[nodiscard]] WallTime next_tick_question(const Reading& reading, WallTime earliest);

// The seconds for the table of perlipc: 0 when that is possible, otherwise the nearest.
[[nodiscard]] std::int64_t whole_seconds(const Reading& reading);

// How far the clock is certainly off: the offset minus the error, but never below 0.
[[nodiscard]] Duration min_deviation(const Reading& reading);

// What a clock announces for the end of this month: nothing, a leap second, or a second that is
// left out. It is `unknown` if the clock says that it is not synchronised.
enum class Leap { none, insert, remove, unknown };

// Why a clock is suspicious by itself.
enum class Flag {
    none,
    // It says zero, or the first day of 1900 or of 1970, so it was never set. In 32 bits, the first
    // day of 1900 is also 7 February 2036, so on that day it does not count as such.
    not_set,
    day_off // it can be a day or more from ours
};
[[nodiscard]] Flag flag_of(const Reading& reading);

} // namespace ipcbox::clocks
