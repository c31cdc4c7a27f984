#include "clocks/agreement.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace ipcbox::clocks {

namespace {

using Count = Duration::rep;
constexpr Count min_count = std::numeric_limits<Count>::min();
constexpr Count max_count = std::numeric_limits<Count>::max();

// The possible offsets of a clock. An absurdly large error is cut off at the ends of the range.
struct Interval {
    Count low;
    Count high;

    [[nodiscard]] std::uint64_t width() const {
        return static_cast<std::uint64_t>(high) - static_cast<std::uint64_t>(low);
    }
    [[nodiscard]] bool contains(const Interval& other) const {
        return low <= other.low && other.high <= high;
    }
};

Interval interval_of(const Reading& reading) {
    const Count offset = reading.offset.count();
    const Count error = std::max(reading.error, Duration::zero()).count();
    return {offset >= min_count + error ? offset - error : min_count,
            offset <= max_count - error ? offset + error : max_count};
}

// The beginning or the end of an interval. At the same point, beginnings come before ends, so that
// intervals that only touch have that point in common.
struct Endpoint {
    enum class Kind { begin, end };

    Count at;
    Kind kind;

    // clang-tidy 14 takes the 0 that a rewritten < compares with for a null pointer.
    // NOLINTNEXTLINE(modernize-use-nullptr)
    auto operator<=>(const Endpoint&) const = default;
};

// The intersection of the largest group. There must be at least one interval.
Interval best_intersection(const std::vector<Interval>& intervals) {
    std::vector<Endpoint> endpoints;
    endpoints.reserve(2 * intervals.size());
    for (const auto& interval : intervals) {
        endpoints.push_back({interval.low, Endpoint::Kind::begin});
        endpoints.push_back({interval.high, Endpoint::Kind::end});
    }
    std::ranges::sort(endpoints);
    Interval best{};
    std::size_t most = 0;
    std::size_t open = 0;
    // A group has its largest size where an end follows a beginning.
    for (std::size_t at = 0; at + 1 < endpoints.size(); ++at) {
        if (endpoints[at].kind == Endpoint::Kind::end) {
            --open;
            continue;
        }
        ++open;
        if (endpoints[at + 1].kind == Endpoint::Kind::begin) continue;
        const Interval common{endpoints[at].at, endpoints[at + 1].at};
        if (open > most || (open == most && common.width() < best.width())) {
            most = open;
            best = common;
        }
    }
    return best;
}

} // namespace

Agreement find_agreement(std::span<const Reading> readings) {
    Agreement agreement;
    if (readings.empty()) return agreement;
    std::vector<Interval> intervals;
    intervals.reserve(readings.size());
    for (const auto& reading : readings)
        intervals.push_back(interval_of(reading));
    const auto common = best_intersection(intervals);
    for (std::size_t number = 0; number < intervals.size(); ++number)
        (intervals[number].contains(common) ? agreement.members : agreement.falsetickers)
            .push_back(number);
    // If the width is odd, the error includes the half nanosecond.
    agreement.offset = Duration{std::midpoint(common.low, common.high)};
    const auto half = common.width() / 2 + common.width() % 2;
    agreement.error = Duration{static_cast<Count>(std::min<std::uint64_t>(half, max_count))};
    return agreement;
}

} // namespace ipcbox::clocks
