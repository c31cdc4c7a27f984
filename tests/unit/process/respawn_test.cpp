#include "process/respawn.h"

#include <doctest/doctest.h>
#include <stdexcept>

using namespace ipcbox;
using namespace ipcbox::process;
using namespace std::chrono_literals;

TEST_CASE("a limit is a number and a window") {
    CHECK(parse_respawn_limit("5/1m") == RespawnLimit{5, 1min});
    CHECK(parse_respawn_limit("1/0.5") == RespawnLimit{1, 500ms});
    for (const char* text : {"", "5", "/1m", "0/1m", "-1/1m", "5/", "5/0", "5/x", "x/1m", "5/1m/1"})
        CHECK_THROWS_AS((void)parse_respawn_limit(text), std::invalid_argument);
}

TEST_CASE("pauses grow, up to a limit") {
    Respawn respawn{{100, 24h}};
    const Respawn::Time start{};
    Duration expected = 100ms;
    for (int round = 0; round < 20; ++round) {
        const auto pause = respawn.after(start, start);
        REQUIRE(pause);
        CHECK(*pause == std::min<Duration>(expected, 30s));
        expected *= 2;
    }
}

TEST_CASE("too many ends in a window are the last") {
    Respawn respawn{{2, 1min}};
    const Respawn::Time start{};
    CHECK(respawn.after(start, start));
    CHECK(respawn.after(start + 1s, start + 59s));
    SUBCASE("that many ends in one window") {
        CHECK_FALSE(respawn.after(start + 59s, start + 59s));
    }
    SUBCASE("the next window counts from zero") {
        CHECK(respawn.after(start + 59s, start + 61s));
        CHECK_FALSE(respawn.after(start + 61s, start + 62s));
    }
}

TEST_CASE("a program that ran for a window begins anew") {
    Respawn respawn{{2, 1min}};
    const Respawn::Time start{};
    CHECK(respawn.after(start, start));
    CHECK(*respawn.after(start, start) == 200ms);
    CHECK(*respawn.after(start, start + 1min) == 100ms);
}
