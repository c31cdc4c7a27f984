#include "clocks/statistics.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <fmt/core.h>
#include <numeric>

namespace ipcbox::clocks {

namespace {

constexpr std::size_t max_ranges = 15;
constexpr double far = 10;                        // in widths of the middle half
constexpr std::chrono::microseconds min_error{1}; // with less, one reading could outweigh all

// How far HIGH is above LOW. The distance may not fit into a Duration.
std::uint64_t distance(Duration low, Duration high) {
    return static_cast<std::uint64_t>(high.count()) - static_cast<std::uint64_t>(low.count());
}
Duration above(Duration low, std::uint64_t distance) {
    return Duration{static_cast<Duration::rep>(static_cast<std::uint64_t>(low.count()) + distance)};
}

Duration median_of(std::span<const Duration> sorted) {
    const auto low = sorted[(sorted.size() - 1) / 2].count();
    return Duration{std::midpoint(low, sorted[sorted.size() / 2].count())};
}

struct Bar {
    std::string label;
    std::size_t count;
};

std::string drawn(const std::vector<Bar>& bars, std::size_t width) {
    std::size_t label = 0;
    std::size_t most = 0;
    for (const auto& bar : bars) {
        label = std::max(label, bar.label.size());
        most = std::max(most, bar.count);
    }
    const std::size_t others = label + fmt::formatted_size("{}", most) + 4; // two gaps
    const std::size_t room = width > others ? width - others : 1;
    std::string lines;
    for (const auto& bar : bars) {
        const auto length =
            static_cast<double>(bar.count) / static_cast<double>(most) * static_cast<double>(room);
        const auto columns = std::max<std::size_t>(static_cast<std::size_t>(length), 1);
        const std::string drawing(bar.count > 0 ? columns : 0, '#');
        lines += fmt::format("{:>{}}  {}  {}\n", bar.label, label, drawing, bar.count);
    }
    return lines;
}

// The number of ranges follows Sturges' rule: one more whenever the number of offsets doubles.
std::uint64_t range_width(std::span<const Duration> sorted, std::uint64_t least) {
    const auto ranges =
        std::min(static_cast<std::size_t>(std::bit_width(sorted.size() - 1)) + 1, max_ranges);
    return std::max(distance(sorted.front(), sorted.back()) / ranges + 1, least);
}

std::uint64_t power_of_ten(std::size_t exponent) {
    std::uint64_t power = 1;
    for (; exponent > 0; --exponent)
        power *= 10;
    return power;
}

// Exact even for centuries, where a double of the seconds since 1970 would lose the microseconds.
double seconds_between(Duration from, Duration to) {
    using std::chrono::seconds;
    const auto whole =
        std::chrono::duration_cast<seconds>(to) - std::chrono::duration_cast<seconds>(from);
    return in_seconds(whole) + in_seconds(to % seconds{1} - from % seconds{1});
}

} // namespace

std::optional<Spread> spread_of(std::vector<Duration> offsets) {
    if (offsets.empty()) return std::nullopt;
    std::ranges::sort(offsets);
    return Spread{offsets.front(), median_of(offsets), offsets.back()};
}

std::string plot(std::vector<Duration> offsets, Duration resolution, std::size_t width) {
    if (offsets.empty()) return {};
    std::ranges::sort(offsets);
    const auto median = median_of(offsets);
    const auto quarter = offsets.size() / 4;
    const auto finest = distance(Duration{}, resolution);
    const auto middle_half =
        std::max(distance(offsets[quarter], offsets[offsets.size() - 1 - quarter]), finest);
    const auto is_far = [&](Duration offset) {
        const auto from_median = distance(std::min(offset, median), std::max(offset, median));
        return static_cast<double>(from_median) > far * static_cast<double>(middle_half);
    };
    const auto first = std::ranges::find_if_not(offsets, is_far);
    const auto end = std::find_if(first, offsets.end(), is_far);
    const std::span<const Duration> near{first, end};

    const auto least = near.front();
    const auto range = range_width(near, finest);
    std::vector<std::size_t> counts(distance(least, near.back()) / range + 1);
    for (const auto offset : near)
        ++counts[distance(least, offset) / range];

    const auto text = [error = Duration{static_cast<Duration::rep>(range)}](Duration offset) {
        return seconds_text(offset, error);
    };
    std::vector<Bar> bars;
    if (first != offsets.begin())
        bars.push_back({"< " + text(least), static_cast<std::size_t>(first - offsets.begin())});
    for (std::size_t number = 0; number < counts.size(); ++number)
        bars.push_back({text(above(least, number * range)), counts[number]});
    if (end != offsets.end())
        bars.push_back({"> " + text(near.back()), static_cast<std::size_t>(offsets.end() - end)});
    return drawn(bars, width);
}

std::string seconds_text(Duration value, Duration error) {
    constexpr std::size_t all_decimals = 9; // a second has 10^9 nanoseconds
    std::size_t decimals = all_decimals;
    if (error > Duration::zero()) {
        const auto digits = fmt::formatted_size("{}", error.count());
        const auto dropped = std::min(std::max<std::size_t>(digits, 2) - 2, all_decimals);
        decimals = all_decimals - dropped;
    }
    const auto unit = power_of_ten(all_decimals - decimals);
    const auto scale = power_of_ten(decimals);
    const auto magnitude = distance(std::min(value, Duration{}), std::max(value, Duration{}));
    const auto rounded = (magnitude + unit / 2) / unit;
    const char sign = value < Duration::zero() && rounded > 0 ? '-' : '+';
    if (decimals == 0) return fmt::format("{}{} s", sign, rounded);
    return fmt::format("{}{}.{:0{}} s", sign, rounded / scale, rounded % scale, decimals);
}

void Drift::add(std::chrono::steady_clock::time_point when, const Reading& reading) {
    if (!first_) {
        first_ = when;
        first_offset_ = reading.offset;
    }
    const Duration error = std::max<Duration>(reading.error, min_error);
    const double time = in_seconds(when - *first_);
    const double offset = seconds_between(first_offset_, reading.offset);
    const double weight = 1 / (in_seconds(error) * in_seconds(error));
    weight_ += weight;
    const double from_mean = time - time_;
    time_ += from_mean * weight / weight_;
    offset_ += (offset - offset_) * weight / weight_;
    time_time_ += weight * from_mean * (time - time_);
    time_offset_ += weight * from_mean * (offset - offset_);
}

std::optional<double> Drift::ppm() const {
    constexpr double million = 1e6;
    if (time_time_ <= 0) return std::nullopt;
    return time_offset_ / time_time_ * million;
}

} // namespace ipcbox::clocks
