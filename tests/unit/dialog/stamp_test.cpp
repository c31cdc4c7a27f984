#include "dialog/stamp.h"

#include <doctest/doctest.h>
#include <stdexcept>

using namespace ipcbox::dialog;
using namespace std::chrono_literals;

namespace {

constexpr Moment moment = 1'000'000'000s + 123'456'789ns; // 2001-09-09 01:46:40 UTC

std::string text(std::string_view format, Moment now = moment) {
    Stamp stamp{format, Stamp::Kind::utc, now};
    return std::string{stamp.at(now)};
}

} // namespace

TEST_CASE("a stamp has the conversions of strftime") {
    CHECK(text("%H:%M:%S") == "01:46:40");
    CHECK(text("at %-d.%-m.%Y") == "at 9.9.2001");
    CHECK(text("").empty());
    CHECK(text("plain") == "plain");
    CHECK(text("100%%N") == "100%N");
    CHECK(text("100%") == "100%");
}

TEST_CASE("a stamp has the fractions of date and ts") {
    CHECK(text("%S.%N") == "40.123456789");
    CHECK(text("%3N %6N %1N") == "123 123456 1");
    CHECK(text("%.S") == "40.123456");
    CHECK(text("%.s") == "1000000000.123456");
    CHECK(text("%.T") == "01:46:40.123456");
    CHECK(text("%s%:z") == "1000000000+00:00");
}

TEST_CASE("a stamp changes with the moment") {
    Stamp stamp{"%S.%3N", Stamp::Kind::utc, moment};
    CHECK(stamp.at(moment + 1ms) == "40.124");
    CHECK(stamp.at(moment + 1s) == "41.123");
    CHECK(stamp.at(moment) == "40.123");
}

TEST_CASE("a stamp counts from the start or from the moment before") {
    Stamp start{"%T", Stamp::Kind::since_start, moment};
    CHECK(start.at(moment) == "00:00:00");
    CHECK(start.at(moment + 5s) == "00:00:05");
    CHECK(start.at(moment + 3605s) == "01:00:05");
    CHECK(start.at(moment - 5s) == "00:00:00");
    Stamp last{"%.s", Stamp::Kind::since_last, moment};
    CHECK(last.at(moment + 5s) == "5.000000");
    CHECK(last.at(moment + 6s) == "1.000000");
    CHECK(last.at(moment + 6s) == "0.000000");
    CHECK(last.at(moment) == "0.000000"); // the clock was set back
}

TEST_CASE("a stamp that is too long is refused") {
    CHECK_THROWS_AS(text("%2000d"), std::invalid_argument);
    CHECK_THROWS_AS(text(std::string(2000, 'x')), std::invalid_argument);
    CHECK(text(std::string(1000, 'x')).size() == 1000);
}
