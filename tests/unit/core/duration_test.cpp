#include "core/duration.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace std::chrono_literals;

TEST_CASE("durations are read, and other texts are not") {
    CHECK(duration_in("0.25") == 250ms);
    CHECK(duration_in("1h30m") == 90min);
    CHECK(duration_in("999999999999999999d") == Duration::max());
    for (const char* text : {"", "s", "1x", "-1", "1s1h", "1..2", " 1"})
        CHECK_FALSE(duration_in(text));
}

TEST_CASE("the numbers of timeout(1) are durations") {
    CHECK(duration_in("1e1") == 10s);
    CHECK(duration_in("1.5E-3s") == 1500us);
    CHECK(duration_in("2e1m") == 20min);
    CHECK(duration_in("0x10") == 16s);
    CHECK(duration_in("0x1d") == 29s); // as strtod(3) reads it
    CHECK(duration_in("1.") == 1s);
    CHECK(duration_in("1e-400") == 1ns);
    for (const char* text : {"inf", "infinity", "INF", "infd", "1e400"})
        CHECK(duration_in(text) == Duration::max());
    for (const char* text : {"nan", "NAN", "-1e1", "+1", "-inf", "1e", "0x", ".", "1e1x", "0x10 "})
        CHECK_FALSE(duration_in(text));
}

TEST_CASE("a duration is printed as exactly as a person wants it") {
    CHECK(rounded_duration(0ns) == "0.0s");
    CHECK(rounded_duration(340ms) == "0.3s");
    CHECK(rounded_duration(12'700ms) == "12s");
    CHECK(rounded_duration(192s) == "3m12s");
}
