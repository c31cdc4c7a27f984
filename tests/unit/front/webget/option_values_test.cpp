#include "front/webget/option_values.h"

#include <climits>
#include <doctest/doctest.h>
#include <stdexcept>

using namespace ipcbox;
using namespace ipcbox::front;
using namespace std::chrono_literals;

namespace {

std::string schemes(std::string_view text) {
    const auto parsed = parse_schemes(text);
    return std::string{parsed.http ? "http" : ""} + (parsed.https ? " https" : "");
}

} // namespace

TEST_CASE("sizes are curl's: either case, powers of 1024, and 0 for no limit") {
    CHECK(parse_byte_limit("100") == 100);
    CHECK(parse_byte_limit("100b") == 100);
    CHECK(parse_byte_limit("100k") == 102400);
    CHECK(parse_byte_limit("100K") == 102400);
    CHECK(parse_byte_limit("1m") == 1048576);
    CHECK(parse_byte_limit("1G") == 1073741824);
    CHECK(parse_byte_limit("2t") == 2199023255552);
    CHECK(parse_byte_limit("0") == std::nullopt);
    CHECK(parse_byte_limit("0k") == std::nullopt);
    for (const auto* bad :
         {"", "k", "1kk", "1.5m", "-1", "1 k", "99999999999999999999", "9000000P"})
        CHECK_THROWS_AS((void)parse_byte_limit(bad), std::invalid_argument);
}

TEST_CASE("a duration of 0 is no limit") {
    CHECK(parse_optional_duration("0") == std::nullopt);
    CHECK(parse_optional_duration("0.0") == std::nullopt);
    CHECK(parse_optional_duration("2.5") == Duration{2500ms});
    CHECK(parse_optional_duration("1m") == Duration{1min});
    CHECK_THROWS_AS((void)parse_optional_duration("x"), std::invalid_argument);
    CHECK_THROWS_AS((void)parse_optional_duration("-1"), std::invalid_argument);
    CHECK(parse_max_redirects("-1") == INT_MAX);
    CHECK(parse_max_redirects("0") == 0);
    CHECK_THROWS_AS((void)parse_max_redirects("-2"), std::invalid_argument);
}

TEST_CASE("a login is cut at its first colon") {
    CHECK(parse_login("a:b:c").login == http::Credentials{"a", "b:c"});
    CHECK(parse_login("a:").has_password);
    CHECK_FALSE(parse_login("a").has_password);
    CHECK_THROWS_AS((void)parse_login("a:b\n"), std::invalid_argument);
}

TEST_CASE("a date is read in the usual forms") {
    CHECK(parse_date("2026-01-31") == 1769817600);
    CHECK(parse_date("20260131") == 1769817600);
    CHECK(parse_date("2026-01-31 00:00:01") == 1769817601);
    CHECK(parse_date("2026-01-31T00:00:01Z") == 1769817601);
    CHECK(parse_date("Sat, 31 Jan 2026 00:00:01 GMT") == 1769817601);
    CHECK(parse_date("31 Jan 2026") == 1769817600);
    CHECK(parse_date("Jan 31 2026 00:00:01") == 1769817601);
    // As date(1) prints them in other zones than ours.
    for (const auto* text : {"Sat Jan 31 10:00:00 CET 2026", "Sat Jan 31 09:00:00 AM UTC 2026",
                             "Sat, 31 Jan 2026 04:00:00 -0500", "31 Jan 2026 04:00 EST",
                             "2026-01-31T10:00:00+01:00", "2026-01-31 09:00"})
        CHECK_MESSAGE(parse_date(text) == 1769850000, text);
    for (const auto* text :
         {"Jan 31 2026 10:00:00 +0100", "january 31, 2026 09:00:00 GMT", "09:00 31 Jan 2026",
          "Jan 31 09:00:00 2026 GMT", "04:00:00 EST 31 Jan 2026"})
        CHECK_MESSAGE(parse_date(text) == 1769850000, text);
    CHECK_FALSE(parse_date("31 Jan 2026 04:00:00 XYZ"));
    for (const auto* bad : {"", "file.txt", "2026-13-45", "31 Jan", "jan/31.html"})
        CHECK_FALSE(parse_date(bad));
}

TEST_CASE("protocols are added, taken away, or named alone") {
    CHECK(schemes("") == "http https");
    CHECK(schemes("=https") == " https");
    CHECK(schemes("=http,https") == "http https");
    CHECK(schemes("-all,https") == " https");
    CHECK(schemes("-all,+http") == "http");
    CHECK(schemes("-http") == " https");
    CHECK(schemes("=HTTPS,ftp") == " https");
    CHECK(schemes("=ftp").empty());
    CHECK(schemes("-ftp,-file") == "http https");
    for (const auto* bad : {"=nothing", "*http", "=http,,https", "="})
        CHECK_THROWS_AS((void)parse_schemes(bad), std::invalid_argument);
}

TEST_CASE("an offset is a number or a dash") {
    CHECK(parse_offset_or_dash("-") == std::nullopt);
    CHECK(parse_offset_or_dash("100") == 100);
    for (const auto* bad : {"", "-1", "x", "100-", "1k"})
        CHECK_THROWS_AS((void)parse_offset_or_dash(bad), std::invalid_argument);
}

TEST_CASE("a method is a token") {
    CHECK(parse_method("M-SEARCH") == "M-SEARCH");
    CHECK(parse_method("post") == "post");
    for (const auto* bad : {"", "G ET", "GET\r\n", "GE:T"})
        CHECK_THROWS_AS((void)parse_method(bad), std::invalid_argument);
}
