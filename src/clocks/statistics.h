// Offsets in numbers: a summary of many, a picture of them, and the drift of one clock over time.
#pragma once

#include "clocks/reading.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ipcbox::clocks {

struct Spread {
    Duration least{};
    Duration median{};
    Duration greatest{};
};
// Nothing when there are none.
[[nodiscard]] std::optional<Spread> spread_of(std::vector<Duration> offsets);

// A bar for each of at most 15 equal ranges of offsets, none of them narrower than RESOLUTION, all
// lines at most WIDTH (40 or more) columns wide; one bar when all are the same. A line has where
// its range begins, the bar, and how many they are:
//
//     -0.012 s  ####################  812
//
// Far outliers get ranges of their own at both ends ("< -1.2 s"), so that one clock of 1900 does
// not hide what the others do: what is more than ten times the middle half's width, or RESOLUTION,
// from the median.
[[nodiscard]] std::string plot(std::vector<Duration> offsets, Duration resolution,
                               std::size_t width);

// "+0.000123 s", "-3600 s": down to the second digit of ERROR, as nothing behind that means a
// thing. So an error of 0.5 s leaves two decimals, one of 45 us six, one of 10 s and more none; no
// error leaves all nine. What rounds to zero is "+0.00 s".
[[nodiscard]] std::string seconds_text(Duration value, Duration error);

// How fast a clock runs away from ours: the slope of its offsets, by least squares, each reading
// weighted by the inverse square of its error, that of a microsecond at least.
class Drift {
  public:
    void add(std::chrono::steady_clock::time_point when, const Reading& reading);
    // In parts per million; nothing before there are readings of two times.
    [[nodiscard]] std::optional<double> ppm() const;

  private:
    std::optional<std::chrono::steady_clock::time_point> first_;
    Duration first_offset_{}; // times and offsets are those since then
    // The sum of weights, the weighted means of time and offset, and the sums of what deviates from
    // them, time x time and time x offset, in seconds: sums of the numbers themselves would lose
    // their digits in the differences (Welford's method).
    double weight_ = 0, time_ = 0, offset_ = 0, time_time_ = 0, time_offset_ = 0;
};

} // namespace ipcbox::clocks
