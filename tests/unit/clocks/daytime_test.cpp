#include "clocks/daytime.h"

#include <cstdlib>
#include <doctest/doctest.h>

using namespace ipcbox::clocks;
using namespace std::chrono_literals;

namespace {

constexpr std::time_t now = 1'800'000'000;  // in January 2027
constexpr std::time_t then = 1'795'488'901; // 2026-11-24 at 02:55:01 UTC
constexpr std::time_t hour = 3600;

// Sets the process's time zone for one test.
class LocalZone {
  public:
    explicit LocalZone(const char* zone) {
        if (const char* before = std::getenv("TZ")) before_ = before;
        ::setenv("TZ", zone, 1);
        ::tzset();
    }
    ~LocalZone() {
        if (before_)
            ::setenv("TZ", before_->c_str(), 1);
        else
            ::unsetenv("TZ");
        ::tzset();
    }
    LocalZone(const LocalZone&) = delete;
    LocalZone& operator=(const LocalZone&) = delete;

  private:
    std::optional<std::string> before_;
};

constexpr const char* new_york = "EST5EDT,M3.2.0,M11.1.0";

// The text names its zone, so ours does not matter.
std::optional<std::time_t> time_in(std::string_view text, std::time_t at = now) {
    const LocalZone zone{new_york};
    const auto daytime = parse_daytime(text, at);
    if (!daytime) return std::nullopt;
    CHECK_MESSAGE(daytime->states_zone, text);
    CHECK(daytime->resolution == 1s);
    return daytime->time;
}

std::optional<std::time_t> local_time_in(std::string_view text, const char* zone_name = new_york) {
    const LocalZone zone{zone_name};
    const auto daytime = parse_daytime(text, now);
    if (!daytime) return std::nullopt;
    CHECK_FALSE_MESSAGE(daytime->states_zone, text);
    return daytime->time;
}

} // namespace

TEST_CASE("a time with a zone is read in that zone") {
    for (const auto* text : {"\n61368 26-11-24 02:55:01 00 0 0 713.5 UTC(NIST) * \n",
                             "61368 26-11-24 02:55:01 50 1 0  50.0 UTC(NIST) *",
                             "Tue Nov 24 02:55:01 UTC 2026\n",
                             "Tue Nov 24 03:55:01 CET 2026\n",
                             "Tue Nov 24 05:55:01 +03 2026\n",
                             "Tuesday, November 24, 2026 02:55:01-UTC",
                             "Monday, November 23, 2026 18:55:01-PST",
                             "24 NOV 2026 02:55:01 GMT",
                             "24 NOV 26 03:55:01 CET",
                             "23 Nov 2026 21:55:01 EST\r\n",
                             "2026-11-24T02:55:01Z",
                             "2026-11-24T03:55:01+01:00",
                             "2026-11-24T03:55:01.999+0100",
                             "2026-11-24 03:55:01 +01",
                             "2026-11-24 08:25:01+0530",
                             "2026-11-23 22:25:01 -04:30",
                             "Tue, 24 Nov 2026 02:55:01 +0000",
                             "Mon, 23 Nov 2026 22:55:01 -0400",
                             "Tue, 24 Nov 2026 02:55:01 GMT",
                             "Tue 24 Nov 2026 02:55:01 AM UTC",
                             "Tue 24 Nov 2026 03:55:01 AM CET",
                             "Tue Nov 24 02:55:01 AM UTC 2026",
                             "Mon Nov 23 09:55:01 PM EST 2026",
                             "24.11.2026 02:55:01 UTC",
                             "24.11.26 03:55:01 +0100",
                             "2026/11/24 02:55:01 UTC",
                             "Tuesday, 24-Nov-26 02:55:01 GMT",
                             "11/23/2026 9:55:01 PM EST",
                             " \t tue  nov\t24  2:55:01  utc  2026 \r\n\r\n"})
        CHECK_MESSAGE(time_in(text) == then, text);
    CHECK(time_in("22 FEB 82 17:37:43 PST") == 383'276'263);                  // RFC 867
    CHECK(time_in("Tuesday, February 22, 1982 17:37:43-PST") == 383'276'263); // its Monday
}

TEST_CASE("a zone is known by its name") {
    const auto hours_of = [](std::string_view zone) {
        return (then - time_in("24 NOV 2026 02:55:01 " + std::string{zone}).value()) / hour;
    };
    for (const auto* zone : {"UTC", "GMT", "UT", "Z", "WET"})
        CHECK(hours_of(zone) == 0);
    for (const auto* zone : {"CET", "MET", "WEST", "BST"})
        CHECK(hours_of(zone) == 1);
    for (const auto* zone : {"CEST", "MEST", "EET"})
        CHECK(hours_of(zone) == 2);
    for (const auto* zone : {"EEST", "MSK", "msk"})
        CHECK(hours_of(zone) == 3);
    CHECK(hours_of("JST") == 9);
    CHECK(hours_of("EDT") == -4);
    CHECK(hours_of("EST") == -5);
    CHECK(hours_of("CDT") == -5);
    CHECK(hours_of("CST") == -6);
    CHECK(hours_of("MDT") == -6);
    CHECK(hours_of("MST") == -7);
    CHECK(hours_of("PDT") == -7);
    CHECK(hours_of("PST") == -8);
    CHECK(hours_of("+14:00") == 14);
    CHECK(hours_of("-1200") == -12);
}

TEST_CASE("of several zones with one name the one that fits our clock is taken, and told") {
    const auto guess = [](std::string_view clock_and_zone, std::time_t at) {
        const auto daytime = parse_daytime("24 NOV 2026 " + std::string{clock_and_zone}, at);
        REQUIRE(daytime);
        REQUIRE(daytime->guessed_zone);
        CHECK(daytime->states_zone);
        return std::pair{daytime->time - then, daytime->guessed_zone->ahead};
    };
    CHECK(guess("10:55:01 CST", then) == std::pair{std::time_t{0}, std::chrono::minutes{8h}});
    CHECK(guess("10:55:31 CST", then) == std::pair{std::time_t{30}, std::chrono::minutes{8h}});
    CHECK(guess("08:25:01 IST", then) == std::pair{std::time_t{0}, std::chrono::minutes{330}});
    CHECK(guess("04:55:01 ist", then) == std::pair{std::time_t{0}, std::chrono::minutes{2h}});
    CHECK(guess("03:55:01 IST", then) == std::pair{std::time_t{0}, std::chrono::minutes{1h}});
    CHECK(guess("10:55:01 PST", then) == std::pair{std::time_t{0}, std::chrono::minutes{8h}});
    // Far from this host's clock, we cannot tell, and the first zone counts.
    CHECK(guess("02:55:01 CST", now).second == std::chrono::minutes{-6h});
    CHECK(parse_daytime("24 NOV 2026 02:55:01 IST", now)->guessed_zone->name == "IST");
    CHECK_FALSE(parse_daytime("24 NOV 2026 02:55:01 CET", now)->guessed_zone);
}

TEST_CASE("a time without a zone is UTC where the protocol means that") {
    const LocalZone zone{new_york};
    const auto daytime = parse_daytime("2026-11-24 02:55:01", now, ZonelessTime::is_utc);
    REQUIRE(daytime);
    CHECK(daytime->time == then);
    CHECK(daytime->states_zone);
}

TEST_CASE("other times without a zone are local") {
    for (const auto* text :
         {"Mon Nov 23 21:55:01 2026\r\n", "23 NOV 2026 21:55:01", "2026-11-23T21:55:01",
          "2026-11-23 21:55:01\n", "Mon, 23 Nov 2026 21:55:01", "9:55:01 PM 11/23/2026\n",
          "23.11.2026 21:55:01", "21:55:01 23.11.2026\n", "Mon 23 Nov 2026 09:55:01 PM",
          "Mon Nov 23 09:55:01 PM 2026", "Nov 23 2026 21:55:01", "November 23, 2026 21:55:01",
          "21:55:01 23 Nov 2026", "Nov 23 21:55:01 2026"})
        CHECK_MESSAGE(local_time_in(text) == then, text);
    CHECK(local_time_in("Tue Nov 24 02:55:01 2026", "UTC0") == then);
    CHECK(local_time_in("Tue Nov 24 02:55:01 2026", "JST-9") == then - 9 * hour);
    // In summer, and on the day on which it ends.
    CHECK(local_time_in("Wed Jul  1 00:00:00 2026") == 1'782'878'400);
    CHECK(local_time_in("Sun Nov  1 12:00:00 2026") == 1'793'552'400);
    CHECK(local_time_in("Sun Nov  1 00:30:00 2026") == 1'793'507'400);
    // -1 is right here, although mktime(3) also returns it for a failure.
    CHECK(local_time_in("Wed Dec 31 23:59:59 1969", "UTC0") == -1);
}

TEST_CASE("of an hour that comes twice, the one near the local clock is meant") {
    const LocalZone zone{new_york};
    constexpr std::time_t first = 1'793'511'000;
    for (const auto near_by : {first - 1, first + 1, first + hour - 1, first + hour + 1}) {
        const auto daytime = parse_daytime("Sun Nov  1 01:30:00 2026", near_by);
        REQUIRE(daytime);
        CHECK(daytime->time == (near_by <= first + 1 ? first : first + hour));
    }
    // Just outside both hours.
    for (const auto& [text, time] : {std::pair{"Sun Nov  1 00:59:59 2026", first - hour / 2 - 1},
                                     std::pair{"Sun Nov  1 02:00:00 2026", first + hour * 3 / 2}}) {
        CHECK(parse_daytime(text, time)->time == time);
        CHECK(parse_daytime(text, time + hour)->time == time);
        CHECK(parse_daytime(text, time - hour)->time == time);
    }
}

TEST_CASE("AM and PM are understood") {
    const auto clock = [](std::string_view text) {
        const auto time = local_time_in(std::string{text} + " 11/24/2026", "UTC0");
        return time ? *time % (24 * hour) : -1;
    };
    CHECK(clock("12:00:00 AM") == 0);
    CHECK(clock("12:59:59 am") == hour - 1);
    CHECK(clock("1:00:00 AM") == hour);
    CHECK(clock("11:00:00 AM") == 11 * hour);
    CHECK(clock("12:00:00 PM") == 12 * hour);
    CHECK(clock("1:00:00 pm") == 13 * hour);
    CHECK(clock("11:59:59 PM") == 24 * hour - 1);
    for (const auto* text : {"0:00:00 AM", "13:00:00 PM", "1:00:00 XM", "1:00:00", "1:00:00 A"})
        CHECK(clock(text) == -1);
}

TEST_CASE("without seconds a time is less exact") {
    const auto daytime = parse_daytime("2026-11-24 02:55 UTC", now);
    REQUIRE(daytime);
    CHECK(daytime->time == then - 1);
    CHECK(daytime->resolution == 1min);
}

TEST_CASE("a year of two digits is the nearest one") {
    const auto year = [](std::string_view digits, std::time_t at) {
        return iso_time(time_in("24 NOV " + std::string{digits} + " 02:55:01 UTC", at).value())
            .substr(0, 4);
    };
    CHECK(year("27", now) == "2027");
    CHECK(year("76", now) == "2076");
    CHECK(year("77", now) == "1977");
    CHECK(year("78", now) == "1978");
    CHECK(year("99", now) == "1999");
    CHECK(year("00", now) == "2000");
    CHECK(year("00", 3'000'000'000) == "2100"); // now is in 2065
    CHECK(year("70", 0) == "1970");
    CHECK(year("20", 0) == "1920");
    CHECK(year("19", 0) == "2019");
    // NIST sends the day too, so this host's clock does not matter.
    for (const std::time_t at : {std::time_t{0}, now, std::time_t{5'000'000'000}})
        CHECK(time_in("61368 26-11-24 02:55:01 00 0 0 713.5 UTC(NIST) *", at) == then);
}

TEST_CASE("a time that cannot be is refused") {
    const auto is_time = [](std::string_view text) { return time_in(text).has_value(); };
    CHECK(is_time("29 FEB 2024 23:59:59 UTC"));
    CHECK(is_time("31 DEC 2016 23:59:60 UTC")); // a leap second
    CHECK(is_time("1 JAN 1900 00:00:00 UTC"));
    CHECK(is_time("31 DEC 2150 23:59:59 UTC"));
    for (const auto* text :
         {"30 FEB 2026 02:55:01 UTC", "29 FEB 2026 02:55:01 UTC", "31 NOV 2026 02:55:01 UTC",
          "0 NOV 2026 02:55:01 UTC", "2026-13-24 02:55:01 UTC", "2026-00-24 02:55:01 UTC",
          "24 NOV 2026 24:00:00 UTC", "24 NOV 2026 25:00:00 UTC", "24 NOV 2026 02:60:00 UTC",
          "24 NOV 2026 02:55:61 UTC", "24 NOV 2026 02:55:01 +15:00", "24 NOV 2026 02:55:01 +01:60",
          "31 DEC 1899 23:59:59 UTC", "1 JAN 2151 00:00:00 UTC",
          "61369 26-11-24 02:55:01 00 0 0 713.5 UTC(NIST) *"})
        CHECK_MESSAGE(!is_time(text), text);
}

TEST_CASE("a text without a time is refused") {
    for (const auto* text : {"",
                             " ",
                             "\r\n",
                             "hello",
                             "now",
                             "1795488901",
                             "02:55:01",
                             "2026-11-24",
                             "Tue Nov 24 2026",
                             "Tue Now 24 02:55:01 2026",
                             "Die Nov 24 02:55:01 2026",
                             "Tu Nov 24 02:55:01 2026",
                             "Tue Novem 24 02:55:01 2026",
                             "Tue Nov 24 02:55:01 2026 again",
                             "Tue Nov 24 02:55:01 2026\nTue Nov 24 02:55:01 2026",
                             "so Tue Nov 24 02:55:01 2026",
                             "Tue Nov 24 02:55:01 126",
                             "Tue Nov 24 02:55:01 20266",
                             "Tue Nov -4 02:55:01 2026",
                             "Tue Nov 24 -2:55:01 2026",
                             "Tue Nov 24 2:5:1 2026",
                             "Tue Nov 24 02.55.01 2026",
                             "Tue Nov 24 02:55:01. 2026",
                             "Tue Nov 24 02:55: 2026",
                             "Tue Nov 24 02:55:01 AEST 2026", // an unknown zone
                             "24 NOV 2026 02:55:01 UTC+1",
                             "24 NOV 2026 02:55:01 +1",
                             "24 NOV 2026 02:55:01 +100",
                             "24 NOV 2026 02:55:01 +01:0",
                             "24 NOV 2026 02:55:01 +",
                             "24 NOV 2026 02:55:01 +01:00:00",
                             "Tuesday, November 24, 2026 02:55:01",
                             "Tuesday, November 24, 2026 02:55:01-",
                             "Tuesday, November 24, 2026 02:55:01-0800",
                             "24/11/2026 02:55:01",
                             "HTTP/1.1 400 Bad Request",
                             "SSH-2.0-OpenSSH_9.2"})
        CHECK_FALSE_MESSAGE(parse_daytime(text, now), text);
    std::string long_text = "Tue Nov 24 02:55:01 2026" + std::string(max_daytime_bytes, ' ');
    CHECK_FALSE(parse_daytime(long_text, now));
    CHECK(parse_daytime(long_text.substr(0, max_daytime_bytes - 1), now));
    CHECK_FALSE(parse_daytime(std::string_view{"Tue Nov 24 02:55:01 2026\0", 25}, now));
    CHECK_FALSE(parse_daytime("Tue Nov 24 02:55:01 2026\xff", now));
}

TEST_CASE("an answer's words have no blanks around them") {
    CHECK(daytime_words("\r\n Tue Nov 24\t\n") == "Tue Nov 24");
    CHECK(daytime_words("").empty());
    CHECK(daytime_words(" \r\n").empty());
}

TEST_CASE("the text of daytime_text() is understood") {
    for (const auto* name : {"UTC0", new_york, "JST-9"}) {
        const LocalZone zone{name};
        for (const std::time_t time : {std::time_t{0}, std::time_t{1'781'010'000}, then, now}) {
            const auto daytime = parse_daytime(daytime_text(time), now);
            REQUIRE(daytime);
            CHECK(daytime->time == time);
        }
    }
    const LocalZone zone{"UTC0"};
    CHECK(daytime_text(then) == "Tue Nov 24 02:55:01 2026\r\n");
}

TEST_CASE("a time is written as ISO 8601, and read back") {
    CHECK(iso_time(then) == "2026-11-24T02:55:01Z");
    CHECK(iso_time(0) == "1970-01-01T00:00:00Z");
    CHECK(iso_time(-2'208'988'800) == "1900-01-01T00:00:00Z");
    CHECK(iso_time(std::numeric_limits<std::time_t>::max()) == "an unknown time");
    for (const std::time_t time : {std::time_t{0}, then, now})
        CHECK(time_in(iso_time(time)) == time);
}
