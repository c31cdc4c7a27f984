#include "clocks/statistics.h"

#include <algorithm>
#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::clocks;
using namespace std::chrono_literals;

namespace {

using Steady = std::chrono::steady_clock::time_point;
constexpr auto least = Duration::min();
constexpr auto most = Duration::max();

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
        lines.push_back(text.substr(at, text.find('\n', at) - at));
    return lines;
}

std::vector<std::string> plotted(const std::vector<Duration>& offsets, std::size_t width) {
    auto lines = lines_of(plot(offsets, {}, width));
    std::size_t all = 0;
    for (const auto& line : lines) {
        CHECK(line.size() <= width);
        all += std::stoul(line.substr(line.rfind(' ') + 1));
    }
    CHECK(all == offsets.size());
    CHECK(lines.size() <= 15 + 2);
    return lines;
}

Reading reading(Duration offset, Duration error) {
    Reading reading;
    reading.offset = offset;
    reading.error = error;
    return reading;
}

} // namespace

TEST_CASE("a spread has the least, the median and the greatest") {
    CHECK_FALSE(spread_of({}));
    const auto one = spread_of({5s});
    REQUIRE(one);
    CHECK(one->least == 5s);
    CHECK(one->median == 5s);
    CHECK(one->greatest == 5s);
    const auto odd = spread_of({3s, -7s, 1s});
    REQUIRE(odd);
    CHECK(odd->least == -7s);
    CHECK(odd->median == 1s);
    CHECK(odd->greatest == 3s);
    CHECK(spread_of({1s, 2s, 4s, 100s})->median == 3s);
    CHECK(spread_of({least, most})->median == Duration{-1});
}

TEST_CASE("seconds have the digits that their error leaves") {
    CHECK(seconds_text(3600s, 500ms) == "+3600.00 s");
    CHECK(seconds_text(-3600s, 10s) == "-3600 s");
    CHECK(seconds_text(-3600s, 9999ms) == "-3600.0 s");
    CHECK(seconds_text(-3600s, 24h) == "-3600 s");
    CHECK(seconds_text(123456ns, 45us) == "+0.000123 s");
    CHECK(seconds_text(123456ns, 123us) == "+0.00012 s");
    CHECK(seconds_text(-123456789ns, 10ns) == "-0.123456789 s");
    CHECK(seconds_text(-123456789ns, 9ns) == "-0.123456789 s");
    CHECK(seconds_text(-123456789ns, 100ns) == "-0.12345679 s");
    CHECK(seconds_text(1ns, 0ns) == "+0.000000001 s");
    CHECK(seconds_text(1ns, -1s) == "+0.000000001 s");
}

TEST_CASE("seconds are rounded, and zero has no minus") {
    CHECK(seconds_text(996ms, 500ms) == "+1.00 s");
    CHECK(seconds_text(-996ms, 500ms) == "-1.00 s");
    CHECK(seconds_text(995ms, 500ms) == "+1.00 s");
    CHECK(seconds_text(994ms, 500ms) == "+0.99 s");
    CHECK(seconds_text(-4ms, 500ms) == "+0.00 s");
    CHECK(seconds_text(-5ms, 500ms) == "-0.01 s");
    CHECK(seconds_text(0s, 500ms) == "+0.00 s");
    CHECK(seconds_text(-499ms, 1min) == "+0 s");
    CHECK(seconds_text(least, 0s) == "-9223372036.854775808 s");
    CHECK(seconds_text(most, 0s) == "+9223372036.854775807 s");
    CHECK(seconds_text(least, most) == "-9223372037 s");
}

TEST_CASE("a plot of no value is empty, and one of one value is a line") {
    CHECK(plot({}, {}, 80).empty());
    CHECK(plot({1500ms}, {}, 40) == "+1.500000000 s  #####################  1\n");
    CHECK(plotted({3s, 3s, 3s}, 60).size() == 1);
}

TEST_CASE("a plot has equal ranges, and the longest bar fills the line") {
    std::vector<Duration> offsets;
    for (int each = 0; each < 100; ++each)
        offsets.push_back(each * 1ms);
    for (int each = 0; each < 28; ++each)
        offsets.push_back(99ms);
    CHECK(plot(offsets, {}, 40) == "+0.000 s  ########  13\n"
                                   "+0.012 s  #######  12\n"
                                   "+0.025 s  ########  13\n"
                                   "+0.037 s  #######  12\n"
                                   "+0.050 s  #######  12\n"
                                   "+0.062 s  ########  13\n"
                                   "+0.074 s  #######  12\n"
                                   "+0.087 s  ##########################  41\n");
}

TEST_CASE("many offsets have fifteen ranges, and a count of one has a bar") {
    std::vector<Duration> offsets(100'000, 7500us);
    for (int each = 0; each <= 15'000; ++each)
        offsets.push_back(each * 1us);
    std::ranges::reverse(offsets);
    const std::vector<Duration> spread_out(offsets.begin(), offsets.begin() + 15'001);
    const auto lines = plotted(spread_out, 80);
    REQUIRE(lines.size() == 15);
    for (const auto& line : lines)
        CHECK(line.find(" #") != std::string::npos);
    // Most offsets are equal, so all others count as far away.
    CHECK(plotted(offsets, 80).size() == 3);
}

TEST_CASE("a clock that is far off does not hide what the others do") {
    std::vector<Duration> offsets{-50 * 365 * 24h, 24h, 48h};
    for (int each = -50; each <= 50; ++each)
        offsets.push_back(each * 1ms);
    const auto lines = plotted(offsets, 72);
    REQUIRE(lines.size() == 10);
    CHECK(lines.front() == "< -0.050 s  ####  1");
    CHECK(lines[1].find("-0.050 s  ###") != std::string::npos);
    CHECK(lines.back().find("> +0.050 s  ###") != std::string::npos);
    CHECK(lines.back().ends_with("  2"));
}

TEST_CASE("empty ranges are lines too") {
    const auto lines = plotted({0ms, 1ms, 2ms, 3ms, 10ms, 11ms, 12ms, 13ms}, 50);
    REQUIRE(lines.size() == 4);
    CHECK(lines[1] == "+0.0033 s    0");
}

TEST_CASE("a plot of the largest range does not overflow") {
    CHECK(plotted({least, most}, 40).size() == 2);
    CHECK(plotted({least, least, 0s, most, most}, 40).size() == 4);
    std::vector<Duration> offsets(1000, 0s);
    offsets.push_back(least);
    offsets.push_back(most);
    CHECK(plotted(offsets, 40).size() == 3);
}

TEST_CASE("drift is the slope of the offsets") {
    Drift drift;
    CHECK_FALSE(drift.ppm());
    const Steady start{1000h};
    drift.add(start, reading(5s, 1ms));
    CHECK_FALSE(drift.ppm());
    drift.add(start, reading(6s, 1ms)); // at the same time as the one before
    CHECK_FALSE(drift.ppm());
    Drift exact;
    for (int minute = 0; minute < 10; ++minute)
        exact.add(start + minute * 1min, reading(-3s + minute * 3ms, 1ms));
    REQUIRE(exact.ppm());
    CHECK(*exact.ppm() == doctest::Approx(50).epsilon(1e-6)); // 3 ms a minute
}

TEST_CASE("a reading that is less exact counts for less") {
    Drift drift;
    const Steady start{};
    for (int minute = 0; minute < 10; ++minute)
        drift.add(start + minute * 1min, reading(minute * -6us, 10us));
    drift.add(start + 10min, reading(1s, 100s));
    CHECK(*drift.ppm() == doctest::Approx(-0.1).epsilon(0.01));
}

TEST_CASE("the drift of a clock that is decades off is found") {
    Drift drift;
    const Steady start{};
    for (int second = 0; second < 3600; ++second)
        drift.add(start + second * 1s, reading(-100 * 365 * 24h + second * 1us, 500ms));
    CHECK(*drift.ppm() == doctest::Approx(1).epsilon(1e-6));
}

TEST_CASE("a reading without an error does not outweigh all others") {
    Drift drift;
    const Steady start{};
    drift.add(start, reading(0s, 0s));
    drift.add(start + 1s, reading(1us, 1us));
    drift.add(start + 2s, reading(2us, 1us));
    CHECK(*drift.ppm() == doctest::Approx(1).epsilon(1e-6));
}

TEST_CASE("a plot shows no difference that is smaller than the errors") {
    const auto lines = plot({220ms, 221ms, 222ms, -7780ms}, 500ms, 40);
    CHECK(lines == "< +0.22 s  ########  1\n"
                   "  +0.22 s  ##########################  3\n");
}
