#include "http/date_form.h"

#include <doctest/doctest.h>

using namespace ipcbox::http;
using namespace std::chrono_literals;
using namespace std::chrono;

namespace {

std::optional<WrittenDate> exact(std::string_view text, std::string_view form) {
    return parse_date(text, form, Strictness::exact);
}
std::optional<WrittenDate> lenient(std::string_view text, std::string_view form) {
    return parse_date(text, form, Strictness::lenient);
}

} // namespace

TEST_CASE("a form takes a date apart") {
    const auto date = exact("Sun, 06 Nov 1994 08:49:37 CET", "%a, %d %b %Y %T %z");
    REQUIRE(date);
    CHECK(date->day_of(2000y) == sys_days{1994y / November / 6});
    CHECK(date->clock == 8h + 49min + 37s);
    CHECK(date->resolution == 1s);
    CHECK(date->zones == std::vector{minutes{60}});
    CHECK(date->zone_name == "CET");
}

TEST_CASE("an exact form compares case, digits and blanks, and a lenient one does not") {
    for (const auto* text : {"6 Nov 1994", "06 nov 1994", "06  Nov 1994", "06 November 1994",
                             "06 Nov 94", "06\tNov 1994"}) {
        CHECK_FALSE_MESSAGE(exact(text, "%d %b %Y"), text);
        CHECK_MESSAGE(lenient(text, "%d %b %Y"), text);
    }
    CHECK(exact("Sunday", "%A"));
    CHECK(exact("Sun", "%a"));
    CHECK_FALSE(exact("Sun", "%A"));
    CHECK_FALSE(exact("Sunday", "%a"));
    CHECK(exact("Nov  6", "%b %e"));
    CHECK_FALSE(exact("Nov 6", "%b %e"));
    CHECK_FALSE(exact("8:49:37", "%T"));
    CHECK_FALSE(exact("08:49", "%T"));
    CHECK_FALSE(exact("08:49:37.5", "%T"));
    CHECK(lenient("8:49:37.5", "%T"));
    CHECK(lenient("08:49", "%T")->resolution == 1min);
}

TEST_CASE("all of a text has to have the form") {
    CHECK_FALSE(exact("06 Nov 1994 ", "%d %b %Y"));
    CHECK_FALSE(exact("06 Nov", "%d %b %Y"));
    CHECK_FALSE(exact("", "%d"));
    CHECK(exact("", ""));
    CHECK(exact("100%", "%n%"));
}

TEST_CASE("AM and PM make a clock one of twelve hours") {
    CHECK(lenient("12:00:00 am", "%T %p")->clock == 0h);
    CHECK(lenient("12:00:00 PM", "%T%P")->clock == 12h);
    CHECK(lenient("1:00:00PM", "%T%P")->clock == 13h);
    CHECK(lenient("13:00:00", "%T%P")->clock == 13h);
    CHECK_FALSE(lenient("13:00:00 PM", "%T%P"));
    CHECK_FALSE(lenient("1:00:00 XM", "%T %p"));
}

TEST_CASE("the name of a zone can mean several zones") {
    CHECK(lenient("IST", "%z")->zones == std::vector{minutes{60}, minutes{120}, minutes{330}});
    CHECK(lenient("cst", "%z")->zone_name == "CST");
    CHECK(lenient("", "%Z")->zones.empty());
    CHECK(lenient(" -05:30", "%Z")->zones == std::vector{minutes{-330}});
    CHECK_FALSE(lenient("+25", "%z"));
    CHECK_FALSE(lenient("XYZ", "%z"));
}

TEST_CASE("a year of two digits is the last one that is not after the latest") {
    const auto year_of = [](std::string_view digits, year latest) {
        return static_cast<int>(year_month_day{
            exact("01-01-" + std::string{digits}, "%d-%m-%y")->day_of(latest).value()}
                                    .year());
    };
    CHECK(year_of("77", 2077y) == 2077);
    CHECK(year_of("78", 2077y) == 1978);
    CHECK(year_of("00", 2000y) == 2000);
    CHECK(year_of("99", -1y) == -1);
}

TEST_CASE("a day that does not exist is refused") {
    CHECK_FALSE(exact("30.02.2026", "%d.%m.%Y")->day_of(2026y));
    CHECK_FALSE(exact("00.01.2026", "%d.%m.%Y")->day_of(2026y));
    CHECK_FALSE(exact("01.13.2026", "%d.%m.%Y")->day_of(2026y));
}

TEST_CASE("numbers are handed over in their order") {
    CHECK(exact("7 x 99999999999", "%n %w %n")->numbers ==
          std::vector<unsigned>{7, std::numeric_limits<unsigned>::max()});
}
