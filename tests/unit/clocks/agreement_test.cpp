#include "clocks/agreement.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <limits>
#include <utility>

using namespace ipcbox;
using namespace ipcbox::clocks;

namespace {

using Numbers = std::vector<std::size_t>;
using std::chrono::years;

Reading reading(Duration offset, Duration error) {
    Reading reading;
    reading.offset = offset;
    reading.error = error;
    return reading;
}

// The agreement of clocks whose offsets can be from LOW to HIGH, in seconds.
Agreement of(const std::vector<std::pair<int, int>>& intervals) {
    std::vector<Reading> readings;
    for (const auto& interval : intervals) {
        const std::chrono::seconds low{interval.first};
        const std::chrono::seconds high{interval.second};
        readings.push_back(reading((Duration{low} + high) / 2, (Duration{high} - low) / 2));
    }
    return find_agreement(readings);
}

double seconds(Duration duration) {
    return std::chrono::duration<double>{duration}.count();
}

} // namespace

TEST_CASE("Marzullo's own examples have his results") {
    const auto three = of({{8, 12}, {11, 13}, {10, 12}});
    CHECK(three.members == Numbers{0, 1, 2});
    CHECK(three.falsetickers.empty());
    CHECK(seconds(three.offset) == 11.5);
    CHECK(seconds(three.error) == 0.5);
    CHECK(three.is_majority());

    const auto pair = of({{8, 12}, {11, 13}, {14, 15}});
    CHECK(pair.members == Numbers{0, 1});
    CHECK(pair.falsetickers == Numbers{2});
    CHECK(seconds(pair.offset) == 11.5);
    CHECK(pair.is_majority());

    // Two clocks agree on 8 to 9, and two on 11 to 12.
    const auto tie = of({{8, 9}, {8, 12}, {10, 12}});
    CHECK(tie.members == Numbers{0, 1});
    CHECK(seconds(tie.offset) == 8.5);
}

TEST_CASE("no clock agrees on nothing, and one clock agrees with itself") {
    const auto none = find_agreement({});
    CHECK(none.members.empty());
    CHECK(none.falsetickers.empty());
    CHECK_FALSE(none.is_majority());

    const auto one = of({{-3, 5}});
    CHECK(one.members == Numbers{0});
    CHECK(seconds(one.offset) == 1);
    CHECK(seconds(one.error) == 4);
    CHECK(one.is_majority());
}

TEST_CASE("when all are disjoint the most exact clock stands alone") {
    const auto alone = of({{0, 10}, {20, 24}, {30, 40}, {-20, -10}});
    CHECK(alone.members == Numbers{1});
    CHECK(alone.falsetickers == Numbers{0, 2, 3});
    CHECK_FALSE(alone.is_majority());
    CHECK_FALSE(of({{0, 1}, {2, 3}}).is_majority());
}

TEST_CASE("of groups of one size, the one with the smallest common interval wins") {
    const auto groups = of({{0, 10}, {2, 12}, {100, 110}, {108, 118}, {200, 210}, {205, 215}});
    CHECK(groups.members == Numbers{2, 3});
    CHECK(seconds(groups.offset) == 109);
    CHECK(seconds(groups.error) == 1);
    CHECK_FALSE(groups.is_majority());
}

TEST_CASE("intervals that touch agree in one point") {
    const auto touching = of({{0, 2}, {2, 4}, {6, 8}});
    CHECK(touching.members == Numbers{0, 1});
    CHECK(seconds(touching.offset) == 2);
    CHECK(seconds(touching.error) == 0);
    CHECK(of({{2, 2}, {0, 2}, {2, 4}}).members == Numbers{0, 1, 2});
}

TEST_CASE("clocks that say the same count each") {
    const auto same = of({{10, 12}, {0, 2}, {0, 2}, {0, 2}, {11, 13}});
    CHECK(same.members == Numbers{1, 2, 3});
    CHECK(same.falsetickers == Numbers{0, 4});
    CHECK(same.is_majority());
    const auto points = of({{5, 5}, {5, 5}, {6, 6}});
    CHECK(points.members == Numbers{0, 1});
    CHECK(seconds(points.error) == 0);
}

TEST_CASE("a clock of which little is known agrees with every other clock") {
    const auto vague = of({{-1000, 1000}, {-1, 1}, {0, 2}, {50, 60}});
    CHECK(vague.members == Numbers{0, 1, 2});
    CHECK(vague.falsetickers == Numbers{3});
    CHECK(seconds(vague.offset) == 0.5);
}

TEST_CASE("the error includes half a nanosecond") {
    const std::vector readings{reading(Duration{0}, Duration{2}),
                               reading(Duration{3}, Duration{2})};
    const auto odd = find_agreement(readings); // from 1 to 2
    CHECK(odd.members == Numbers{0, 1});
    CHECK(odd.offset == Duration{1});
    CHECK(odd.error == Duration{1});
}

TEST_CASE("no offset or error is too large") {
    constexpr Duration most{std::numeric_limits<Duration::rep>::max()};
    const std::vector readings{reading(years{250}, std::chrono::seconds{1}),
                               reading(-years{250}, most), reading(most, most),
                               reading(Duration::min(), Duration{1}),
                               reading(years{250}, std::chrono::seconds{2})};
    const auto huge = find_agreement(readings);
    CHECK(huge.members == Numbers{0, 2, 4});
    CHECK(huge.falsetickers == Numbers{1, 3});
    CHECK(huge.offset == Duration{years{250}});
    CHECK(huge.error == std::chrono::seconds{1});

    const std::vector wide{reading(Duration{0}, most), reading(Duration{-1}, most)};
    CHECK(find_agreement(wide).members == Numbers{0, 1});
    const std::vector negative{reading(Duration{1}, Duration{-5})};
    CHECK(find_agreement(negative).offset == Duration{1});
}

TEST_CASE("the order of the readings does not matter") {
    std::vector<std::pair<int, int>> intervals;
    for (int each = 0; each < 1000; ++each)
        intervals.emplace_back(each % 10, 10 + each % 7);
    intervals.emplace_back(100, 101);
    const auto forwards = of(intervals);
    std::ranges::reverse(intervals);
    const auto backwards = of(intervals);
    CHECK(forwards.members.size() == 1000);
    CHECK(backwards.members.size() == 1000);
    CHECK(forwards.falsetickers == Numbers{1000});
    CHECK(backwards.falsetickers == Numbers{0});
    CHECK(forwards.offset == backwards.offset);
    CHECK(seconds(forwards.offset) == 9.5);
    CHECK(seconds(forwards.error) == 0.5);
}
