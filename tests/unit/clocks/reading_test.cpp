#include "clocks/reading.h"

#include <doctest/doctest.h>
#include <initializer_list>

using namespace ipcbox;
using namespace ipcbox::clocks;
using namespace std::chrono_literals;

namespace {

constexpr std::time_t now = 1'800'000'000;  // in January 2027
constexpr std::time_t wrap = 2'085'978'496; // 2036-02-07 at 06:28:16 UTC
constexpr std::time_t start_of_1900 = -2'208'988'800;
constexpr std::time_t end_of_2150 = 5'711'817'599;
constexpr std::time_t day = 86'400;

Timing at(WallTime received, Duration round_trip = 0s) {
    return {.received = received, .round_trip = round_trip};
}

bool allows(const Reading& reading, Duration offset) {
    return reading.offset - reading.error <= offset && offset <= reading.offset + reading.error;
}

Reading between(Duration low, Duration high) {
    return {.offset = (low + high) / 2, .error = (high - low) / 2, .resolution = 1s};
}

// A clock that is OFFSET ahead of ours and says whole seconds, and the times of the ways to it and
// back.
struct Remote {
    Duration offset;
    Duration there;
    Duration back;

    [[nodiscard]] Reading ask(WallTime sent) const {
        const auto said = floor<std::chrono::seconds>(sent + there + offset);
        return reading_of(said.time_since_epoch().count(), at(sent + there + back, there + back));
    }
};

} // namespace

TEST_CASE("an answer bounds the offset") {
    const auto reading = reading_of(now, at(wall_time(now) + 300ms, 200ms));
    CHECK(reading.said == wall_time(now));
    CHECK(reading.offset - reading.error == -300ms); // the second had just begun at the answer
    CHECK(reading.offset + reading.error == 900ms);  // it was nearly over at the question
    CHECK(reading.offset == 300ms);
    CHECK(reading.error == 600ms);
    CHECK(reading.round_trip == 200ms);
    CHECK(reading.resolution == 1s);

    const auto exact = reading_of(now, at(wall_time(now - 5), 0s), 0s);
    CHECK(exact.offset == 5s);
    CHECK(exact.error == 0s);

    const auto minute = reading_of(now, at(wall_time(now)), 60s);
    CHECK(minute.offset == 30s);
    CHECK(minute.error == 30s);
}

TEST_CASE("half a nanosecond is added to the error, never taken off") {
    const auto reading = reading_of(now, at(wall_time(now), 1ns), 0s);
    CHECK(allows(reading, 0ns));
    CHECK(allows(reading, 1ns));
    CHECK(reading.error == 1ns);
}

TEST_CASE("a negative round trip counts as 0") {
    const auto reading = reading_of(now, at(wall_time(now), -5s), 0s);
    CHECK(reading.offset == 0s);
    CHECK(reading.round_trip == 0s);
}

TEST_CASE("every year that a clock can say is understood") {
    CHECK(wall_time(start_of_1900) == std::chrono::sys_days{std::chrono::January / 1 / 1900});
    CHECK(wall_time(start_of_1900 - 1) == wall_time(start_of_1900));
    CHECK(wall_time(end_of_2150) + 1s == std::chrono::sys_days{std::chrono::January / 1 / 2151});
    CHECK(wall_time(end_of_2150 + 1) == wall_time(end_of_2150));
    CHECK(wall_time(std::numeric_limits<std::time_t>::max()) == wall_time(end_of_2150));
    CHECK(wall_time(std::numeric_limits<std::time_t>::min()) == wall_time(start_of_1900));

    CHECK(is_within_years(start_of_1900));
    CHECK(is_within_years(end_of_2150));
    CHECK_FALSE(is_within_years(start_of_1900 - 1));
    CHECK_FALSE(is_within_years(end_of_2150 + 1));

    constexpr auto whole = end_of_2150 - start_of_1900;
    const auto ahead = reading_of(end_of_2150, at(wall_time(start_of_1900), 10s));
    const auto behind = reading_of(start_of_1900, at(wall_time(end_of_2150), 10s));
    CHECK(whole_seconds(ahead) == whole + 5);
    CHECK(whole_seconds(behind) == -whole + 5);
    CHECK(narrowed(ahead, behind).offset == behind.offset);
    CHECK(next_tick_question(ahead, wall_time(start_of_1900)) < wall_time(start_of_1900) + 1s);
    CHECK(next_tick_question(ahead, wall_time(end_of_2150)) < wall_time(end_of_2150) + 1s);
    CHECK(next_tick_question(behind, wall_time(end_of_2150)) < wall_time(end_of_2150) + 1s);
    CHECK(min_deviation(behind) > std::chrono::days{91'000});
}

TEST_CASE("the seconds of the table are those of whole clocks") {
    // Question and answer are at the same moment, at different times of this host's second.
    for (const auto fraction : {0ns, 1ns, 300'000'000ns, 499'999'999ns, 500'000'000ns,
                                500'000'001ns, 700'000'000ns, 999'999'999ns})
        for (const std::time_t difference : {-3600, -2, -1, 0, 1, 2, 3600}) {
            CAPTURE(fraction.count());
            CHECK(whole_seconds(reading_of(now + difference, at(wall_time(now) + fraction))) ==
                  (fraction == 0ns && difference == -1 ? 0 : difference)); // -1 s is possible too
        }
}

TEST_CASE("an offset of 0 is shown if it is possible") {
    CHECK(whole_seconds(reading_of(now, at(wall_time(now) + 2s, 3s))) == 0);
    CHECK(whole_seconds(reading_of(now + 7, at(wall_time(now) + 2s, 3s))) == 7);
    CHECK(whole_seconds(between(-4s, -2s)) == -3);
    CHECK(whole_seconds(between(0s, 9s)) == 0);
    CHECK(whole_seconds(between(2ns, 9s)) == 5);
    CHECK(min_deviation(between(-4s, -2s)) == 2s);
    CHECK(min_deviation(between(2s, 4s)) == 2s);
    CHECK(min_deviation(between(-1s, 4s)) == 0s);
}

TEST_CASE("two readings together allow only what both allow") {
    auto older = between(-1s, 5s);
    older.round_trip = 3ms;
    older.said = wall_time(now);
    auto newer = between(3s, 9s);
    newer.round_trip = 7ms;
    newer.said = wall_time(now + 1);
    for (const auto& both : {narrowed(older, newer), narrowed(newer, older)}) {
        CHECK(both.offset == 4s);
        CHECK(both.error == 1s);
        CHECK(both.round_trip == 3ms);
    }
    CHECK(narrowed(older, newer).said == newer.said);
    CHECK(narrowed(older, older).error == older.error);

    const auto point = narrowed(between(1s, 2s), between(2s, 3s));
    CHECK(point.offset == 2s);
    CHECK(point.error == 0s);
}

TEST_CASE("of contradictory readings, the newer one counts") {
    auto older = between(-1s, 5s);
    older.round_trip = 3ms;
    auto newer = between(6s, 9s);
    newer.round_trip = 7ms;
    const auto reading = narrowed(older, newer);
    CHECK(reading.offset == newer.offset);
    CHECK(reading.error == newer.error);
    CHECK(reading.round_trip == 7ms);
}

TEST_CASE("a tick is asked for where it is likely, and not too early") {
    auto reading = between(200ms, 400ms); // their ticks are at .6 to .8 of our second
    CHECK(next_tick_question(reading, wall_time(now)) == wall_time(now) + 700ms);
    CHECK(next_tick_question(reading, wall_time(now) + 700ms) == wall_time(now) + 700ms);
    CHECK(next_tick_question(reading, wall_time(now) + 701ms) == wall_time(now) + 1700ms);
    reading.round_trip = 100ms;
    CHECK(next_tick_question(reading, wall_time(now)) == wall_time(now) + 650ms);
    reading.offset -= 5000s;
    CHECK(next_tick_question(reading, wall_time(now)) == wall_time(now) + 650ms);
    reading.resolution = 60s;
    reading.offset = 0s;
    reading.round_trip = 0s;
    CHECK(next_tick_question(reading, wall_time(now - 1)) == wall_time(now));
    reading.resolution = 0s;
    CHECK(next_tick_question(reading, wall_time(now) + 1ns) == wall_time(now) + 1ns);
}

TEST_CASE("a dozen questions find the tick") {
    for (const auto offset : {0ns, 1ns, 250'000'000ns, 499'999'999ns, 500'000'000ns, 999'999'999ns,
                              -1ns, -333'333'333ns, 3'600'123'456'789ns, -7'200'987'654'321ns})
        for (const auto& [there, back] : std::initializer_list<std::pair<Duration, Duration>>{
                 {0ms, 0ms}, {1ms, 1ms}, {20us, 30us}, {40ms, 10ms}, {0ms, 80ms}, {150ms, 150ms}}) {
            const Remote remote{.offset = offset, .there = there, .back = back};
            auto time = wall_time(now) + 123'456'789ns;
            auto reading = remote.ask(time);
            for (int question = 1; question < 12; ++question) {
                time = next_tick_question(reading, time + there + back);
                reading = narrowed(reading, remote.ask(time));
                REQUIRE(allows(reading, offset));
            }
            CHECK(reading.error <= (there + back) / 2 + 1ms);
        }
}

TEST_CASE("questions whose ways differ each time never exclude the truth") {
    unsigned state = 1;
    const auto random = [&](Duration most) { // good enough for RFC 868
        state = state * 1'664'525U + 1'013'904'223U;
        return most * (state >> 16) / 65'536;
    };
    for (int run = 0; run < 200; ++run) {
        const auto offset = random(1000s) - 500s;
        auto time = wall_time(now) + random(1s);
        std::optional<Reading> reading;
        Duration quickest = 1s;
        for (int question = 0; question < 12; ++question) {
            const Remote remote{.offset = offset, .there = random(20ms), .back = random(20ms)};
            const auto answer = remote.ask(time);
            reading = reading ? narrowed(*reading, answer) : answer;
            REQUIRE(allows(*reading, offset));
            quickest = std::min(quickest, remote.there + remote.back);
            time = next_tick_question(*reading, time + 40ms);
        }
        CHECK(reading->round_trip == quickest);
        CHECK(reading->error <= 40ms);
    }
}

TEST_CASE("a clock that nobody has set is marked") {
    const auto flag = [](std::time_t said, std::time_t ours = now) {
        return flag_of(reading_of(said, at(wall_time(ours) + 400ms, 10ms)));
    };
    CHECK(flag(now) == Flag::none);
    CHECK(flag(now + day - 2) == Flag::none);
    CHECK(flag(now + day) == Flag::day_off);
    CHECK(flag(now - day) == Flag::day_off);
    CHECK(flag(now - day + 2) == Flag::none);
    CHECK(flag(end_of_2150) == Flag::day_off);

    CHECK(flag(0) == Flag::not_set);
    CHECK(flag(day - 1) == Flag::not_set);
    CHECK(flag(day) == Flag::day_off);
    CHECK(flag(-1) == Flag::day_off);
    CHECK(flag(5, 10) == Flag::not_set); // our clock is not set either

    CHECK(flag(start_of_1900) == Flag::not_set);
    CHECK(flag(start_of_1900 + day - 1) == Flag::not_set);
    CHECK(flag(start_of_1900 + day) == Flag::day_off);

    CHECK(flag(wrap - 1) == Flag::day_off);
    CHECK(flag(wrap) == Flag::not_set); // the answer was four bytes of zero
    CHECK(flag(wrap + day - 1) == Flag::not_set);
    CHECK(flag(wrap + day) == Flag::day_off);
    CHECK(flag(wrap, wrap + day - 2) == Flag::none);
    CHECK(flag(wrap, wrap - day + 2) == Flag::none);
    CHECK(flag(wrap, wrap - day - 2) == Flag::not_set);
}
