#include "http/date.h"

#include <doctest/doctest.h>
#include <limits>

using namespace ipcbox;
using namespace std::chrono_literals;

namespace {

constexpr std::time_t example = 784'111'777; // RFC 9110's
constexpr std::time_t now = 1'800'000'000;   // in January 2027

std::optional<std::time_t> parse(std::string_view text) {
    return http::parse_http_date(text, now);
}

} // namespace

TEST_CASE("a date is read in its three forms") {
    CHECK(http::http_date(example) == "Sun, 06 Nov 1994 08:49:37 GMT");
    CHECK(parse("Sun, 06 Nov 1994 08:49:37 GMT") == example);
    CHECK(parse("Sunday, 06-Nov-94 08:49:37 GMT") == example);
    CHECK(parse("Sun Nov  6 08:49:37 1994") == example);
    CHECK(parse("Wed Nov 16 08:49:37 1994") == example + 864'000);
}

TEST_CASE("a date that was written is read back") {
    for (const std::time_t time :
         {std::time_t{0}, std::time_t{-1}, std::time_t{951'782'400}, std::time_t{1'709'251'199},
          std::time_t{4'102'444'800}, std::time_t{-62'167'219'200}, std::time_t{253'402'300'799}})
        CHECK(parse(http::http_date(time)) == time);
    for (std::time_t day = 0; day < 1500; ++day)
        CHECK(parse(http::http_date(day * 86400 + day)) == day * 86400 + day);
    CHECK(http::http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT");
    CHECK(http::http_date(std::numeric_limits<std::time_t>::max()) ==
          "Fri, 31 Dec 9999 23:59:59 GMT");
    CHECK(http::http_date(std::numeric_limits<std::time_t>::min()) ==
          "Sat, 01 Jan 0000 00:00:00 GMT");
}

TEST_CASE("a year of two digits is at most 50 years ahead") {
    const auto year = [](std::string_view text, std::time_t at) {
        return http::http_date(http::parse_http_date(text, at).value()).substr(12, 4);
    };
    CHECK(year("Sunday, 06-Nov-27 08:49:37 GMT", now) == "2027");
    CHECK(year("Sunday, 06-Nov-77 08:49:37 GMT", now) == "2077");
    CHECK(year("Sunday, 06-Nov-78 08:49:37 GMT", now) == "1978");
    CHECK(year("Sunday, 06-Nov-00 08:49:37 GMT", now) == "2000");
    CHECK(year("Sunday, 06-Nov-99 08:49:37 GMT", now) == "1999");
    CHECK(year("Sunday, 06-Nov-00 08:49:37 GMT", 3'000'000'000) == "2100"); // now is in 2065
}

TEST_CASE("a day that does not exist is refused, and a leap day is not") {
    CHECK(parse("Tue, 29 Feb 2000 00:00:00 GMT") == 951'782'400);
    CHECK_FALSE(parse("Thu, 29 Feb 2001 00:00:00 GMT"));
    CHECK_FALSE(parse("Mon, 29 Feb 1900 00:00:00 GMT"));
    CHECK_FALSE(parse("Fri, 31 Nov 2000 00:00:00 GMT"));
    CHECK_FALSE(parse("Fri, 00 Nov 2000 00:00:00 GMT"));
    CHECK(parse("Mon, 06 Nov 1994 08:49:37 GMT") == example); // although it was a Sunday
    // A leap second counts as the second after it, as for all Unix clocks.
    CHECK(parse("Sat, 31 Dec 2016 23:59:60 GMT") == parse("Sun, 01 Jan 2017 00:00:00 GMT"));
}

TEST_CASE("a text that is not a date is refused") {
    for (const auto* text : {"",
                             "0",
                             "now",
                             "Sun",
                             "Sun,",
                             "Sun, 06 Nov 1994 08:49:37",
                             "Sun, 06 Nov 1994 08:49:37 UTC",
                             "Sun, 06 Nov 1994 08:49:37 GMT ",
                             " Sun, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 6 Nov 1994 08:49:37 GMT",
                             "Sun,06 Nov 1994 08:49:37 GMT",
                             "sun, 06 nov 1994 08:49:37 gmt",
                             "Son, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Now 1994 08:49:37 GMT",
                             "Sun, 06 Nov 94 08:49:37 GMT",
                             "Sunday, 06 Nov 1994 08:49:37 GMT",
                             "Sun, 06-Nov-94 08:49:37 GMT",
                             "Sunday, 06-Nov-1994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 24:00:00 GMT",
                             "Sun, 06 Nov 1994 08:60:37 GMT",
                             "Sun, 06 Nov 1994 08:49:61 GMT",
                             "Sun, +6 Nov 1994 08:49:37 GMT",
                             "Sun, -6 Nov 1994 08:49:37 GMT",
                             "Sun, 06 Nov -994 08:49:37 GMT",
                             "Sun, 06 Nov 1994 -8:49:37 GMT",
                             "Sun Nov 6 08:49:37 1994",
                             "Sun Nov   6 08:49:37 1994",
                             "Sun Nov    08:49:37 1994",
                             "Sun Nov  6 08:49:37 1994 GMT",
                             "Sun Nov -6 08:49:37 1994",
                             "Sun Nov  6 08:49:37 19944"})
        CHECK_FALSE_MESSAGE(parse(text), text);
}

TEST_CASE("Retry-After is a number of seconds or a date") {
    const auto wait = [](std::string_view text) { return http::parse_retry_after(text, now); };
    CHECK(wait("0") == 0s);
    CHECK(wait("120") == 120s);
    CHECK(wait("007") == 7s);
    CHECK(wait(http::http_date(now + 90)) == 90s);
    CHECK(wait(http::http_date(now)) == 0s);
    CHECK(wait("Sun, 06 Nov 1994 08:49:37 GMT") == 0s);
    CHECK(wait("Fri, 31 Dec 9999 23:59:59 GMT") == Duration::max());
    CHECK(wait("9223372035") == 9223372035s);
    for (const auto* text :
         {"9223372036", "9223372037", "9223372036854775807", "99999999999999999999999999999999"})
        CHECK(wait(text) == Duration::max());
    for (const auto* text : {"", "-1", "+1", "1.5", "1 ", " 1", "1s", "soon"})
        CHECK_FALSE(wait(text));
}
