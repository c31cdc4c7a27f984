#include "cookies/date.h"

#include <doctest/doctest.h>

using ipcbox::cookies::parse_date;

TEST_CASE("a cookie's date is understood in every usual form") {
    constexpr std::time_t moment = 784111777;
    for (const auto* text :
         {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
          "Sun Nov  6 08:49:37 1994", "6 nov 1994 8:49:37", "1994 November 6 08:49:37 +0000",
          "08:49:37;6;Nov;1994", "06-NOV-1994 08:49:37"}) {
        CAPTURE(text);
        CHECK(parse_date(text) == moment);
    }
    CHECK(parse_date("Thu, 01 Jan 1970 00:00:00 GMT") == 0);
    CHECK(parse_date("01 Jan 69 00:00:00") == 3124224000);
    CHECK(parse_date("01 Jan 9999 00:00:00") == 253370764800);
}

TEST_CASE("a cookie's date with a part missing or impossible is none") {
    for (const auto* text :
         {"", "never", "06 Nov 1994", "Nov 1994 08:49:37", "06 1994 08:49:37", "06 Nov 08:49:37",
          "31 Feb 2020 08:49:37", "06 Nov 1600 08:49:37", "06 Nov 1994 25:00:00",
          "06 Nov 1994 0x:00:00", "006 Nov 1994 08:49:37", "06 Nov 19940 08:49:37"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_date(text));
    }
}
