// Statistics of offsets: a summary of many, a plot of them, and the drift of one clock over time.
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

// A bar for each of at most 15 equal ranges of offsets, none narrower than RESOLUTION; a single bar
// when all offsets are equal. No line is wider than WIDTH (40 or more) columns. A line has the
// beginning of its range, the bar, and the number of offsets:
//
//     -0.012 s  ####################  812
//
// Far outliers get ranges of their own at both ends ("< -1.2 s"), so that one clock of 1900 does
// not hide the differences of the others. An outlier is further from the median than ten times the
// width of the middle half, or ten times RESOLUTION.
[[nodiscard]] std::string plot(std::vector<Duration> offsets, Duration resolution,
                               std::size_t width);

// "+0.000123 s", "-3600 s": rounded to the second digit of ERROR, because further digits have no
// meaning. So an error of 0.5 s gives two decimals, one of 45 us six, one of 10 s or more none, and
// no error all nine. A value that rounds to zero is "+0.00 s".
[[nodiscard]] std::string seconds_text(Duration value, Duration error);

// How fast a clock drifts away from ours: the slope of its offsets by least squares. Each reading
// is weighted by the inverse square of its error, which counts as at least a microsecond.
class Drift {
  public:
    void add(std::chrono::steady_clock::time_point when, const Reading& reading);
    // In parts per million; nothing before there are readings at two different times.
    [[nodiscard]] std::optional<double> ppm() const;

  private:
    std::optional<std::chrono::steady_clock::time_point> first_;
    Duration first_offset_{}; // times and offsets are those since then
    // The sum of weights, the weighted means of time and offset, and the sums of the deviations
    // from them, time x time and time x offset, in seconds (Welford's method). Sums of the numbers
    // themselves would lose digits in the differences.
    double weight_ = 0, time_ = 0, offset_ = 0, time_time_ = 0, time_offset_ = 0;
};

} // namespace ipcbox::clocks
