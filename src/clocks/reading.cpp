#include "clocks/reading.h"

#include <algorithm>

namespace ipcbox::clocks {

namespace {

using namespace std::chrono;

constexpr sys_seconds first_second = sys_days{year{first_year} / January / 1};
constexpr sys_seconds last_second = sys_days{year{last_year + 1} / January / 1} - seconds{1};
constexpr std::time_t first_time = first_second.time_since_epoch().count();
constexpr std::time_t last_time = last_second.time_since_epoch().count();
static_assert(last_second - first_second < Duration::max());

// The possible offsets of a clock. Both ends are exact, while the middle can be half a nanosecond
// off.
struct Interval {
    Duration low;
    Duration high;
};

Interval interval_of(const Reading& reading) {
    return {reading.offset - reading.error, reading.offset + reading.error};
}

void set_interval(Reading& reading, const Interval& interval) {
    reading.error = (interval.high - interval.low + Duration{1}) / 2;
    reading.offset = interval.low + reading.error;
}

// In [0, DIVISOR), even for a negative VALUE.
Duration remainder(Duration value, Duration divisor) {
    const auto rest = value % divisor;
    return rest < Duration::zero() ? rest + divisor : rest;
}

} // namespace

bool is_within_years(std::time_t seconds) {
    return seconds >= first_time && seconds <= last_time;
}

WallTime wall_time(std::time_t seconds) {
    return WallTime{std::chrono::seconds{std::clamp(seconds, first_time, last_time)}};
}

Reading reading_of(std::time_t seconds, const Timing& timing, Duration resolution) {
    Reading reading{.said = wall_time(seconds),
                    .round_trip = std::max(timing.round_trip, Duration::zero()),
                    .resolution = resolution};
    const auto asked = timing.received - reading.round_trip;
    set_interval(reading, {.low = reading.said - timing.received,
                           .high = reading.said - asked + resolution});
    return reading;
}

Reading narrowed(const Reading& older, const Reading& newer) {
    const auto before = interval_of(older);
    const auto now = interval_of(newer);
    const Interval both{.low = std::max(before.low, now.low),
                        .high = std::min(before.high, now.high)};
    if (both.low > both.high) return newer;
    auto reading = newer;
    set_interval(reading, both);
    reading.round_trip = std::min(older.round_trip, newer.round_trip);
    return reading;
}

// The server reads its clock when about half of the round trip is over. If we ask at this time,
// either answer leaves half of the interval, plus half a round trip. So the error shrinks towards
// half a round trip.
WallTime next_tick_question(const Reading& reading, WallTime earliest) {
    const auto resolution = reading.resolution;
    if (resolution <= Duration::zero()) return earliest;
    // Take remainders before sums, which could overflow. Only the remainders matter for a tick.
    const auto theirs = remainder(earliest.time_since_epoch(), resolution) +
                        remainder(reading.offset, resolution) +
                        remainder(reading.round_trip / 2, resolution);
    return earliest + remainder(-theirs, resolution);
}

// Rounds halves down. A clock that says S while our clock is in second N is S - N off, from the
// beginning of N on.
std::int64_t whole_seconds(const Reading& reading) {
    const auto possible = interval_of(reading);
    if (possible.low <= Duration::zero() && possible.high >= Duration::zero()) return 0;
    return ceil<seconds>(reading.offset - milliseconds{500}).count();
}

Duration min_deviation(const Reading& reading) {
    return std::max(abs(reading.offset) - reading.error, Duration::zero());
}

Flag flag_of(const Reading& reading) {
    const auto within_a_day_after = [&](sys_seconds start) {
        return reading.said >= start && reading.said < start + days{1};
    };
    const bool may_be_day_off = abs(reading.offset) + reading.error >= days{1};
    // The first day of 1900, but in the next era (RFC 5905, section 6). A time of zero becomes this
    // when it is decoded with a pivot of today.
    constexpr sys_seconds next_era = first_second + seconds{1LL << 32};
    if (within_a_day_after(first_second) || within_a_day_after(sys_seconds{}) ||
        (within_a_day_after(next_era) && may_be_day_off))
        return Flag::not_set;
    return may_be_day_off ? Flag::day_off : Flag::none;
}

} // namespace ipcbox::clocks
