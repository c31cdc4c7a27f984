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
    Duration most{};
};
// Nothing when there are none.
[[nodiscard]] std::optional<Spread> spread_of(std::vector<Duration> offsets);

// A bar for each of at most 15 equal ranges of offsets, all lines at most WIDTH columns wide; one
// bar when all are the same. Far outliers get ranges of their own at both ends ("< -1.2 s"), so
// that one clock of 1900 does not hide what the others do: what is more than ten times the middle
// half's width from the median.
[[nodiscard]] std::string plot(std::vector<Duration> offsets, std::size_t width);

// "+0.000123 s", "-3600 s": as many digits as ERROR makes sense of (two of the error's).
[[nodiscard]] std::string seconds_text(Duration value, Duration error);

// How fast a clock runs away from ours: the slope of its offsets, by least squares, each reading
// weighted by its error.
class Drift {
  public:
    void add(std::chrono::steady_clock::time_point when, const Reading& reading);
    // In parts per million; nothing before there are two readings.
    [[nodiscard]] std::optional<double> ppm() const;

  private:
    std::optional<std::chrono::steady_clock::time_point> first_;
    // Sums of weight, time, offset, time x time, time x offset, in seconds.
    double w_ = 0, wt_ = 0, wo_ = 0, wtt_ = 0, wto_ = 0;
};

} // namespace ipcbox::clocks
