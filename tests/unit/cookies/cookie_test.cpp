#include "cookies/cookie.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::cookies;

namespace {

constexpr std::time_t now = 1'000'000'000; // 2001-09-09 01:46:40

const auto* const secure_url = "https://www.example.org/a/b";
const auto* const plain_url = "http://www.example.org/a/b";

std::optional<Cookie> set_by(const char* url, std::string_view value) {
    return parse_set_cookie(http::Url::parse(url), value, now);
}

} // namespace

TEST_CASE("a Set-Cookie field without attributes makes a cookie of its host and directory") {
    const auto cookie = set_by(plain_url, " name = value ");
    REQUIRE(cookie);
    CHECK(cookie->name == "name");
    CHECK(cookie->value == "value");
    CHECK(cookie->domain == "www.example.org");
    CHECK(cookie->host_only);
    CHECK(cookie->path == "/a");
    CHECK_FALSE(cookie->secure);
    CHECK_FALSE(cookie->http_only);
    CHECK_FALSE(cookie->expires);
}

TEST_CASE("the attributes of a Set-Cookie field are read in any case and order") {
    const auto cookie = set_by(
        secure_url, "a=1=2; HTTPONLY; max-age=60; PATH=/x; secure; Domain=.Example.ORG; Unknown");
    REQUIRE(cookie);
    CHECK(cookie->value == "1=2");
    CHECK(cookie->domain == "example.org");
    CHECK_FALSE(cookie->host_only);
    CHECK(cookie->path == "/x");
    CHECK(cookie->secure);
    CHECK(cookie->http_only);
    CHECK(cookie->expires == now + 60);
}

TEST_CASE("a Set-Cookie field that must not be stored makes no cookie") {
    for (const auto* const value :
         {"", "no pair", "=nameless", "a=1; Domain=other.org", "a=1; Domain=org", "a=1; Secure",
          "a=\x01", "__Secure-a=1", "__secure-a=1", "__Host-a=1; Path=/", "__HOST-a=1; Path=/"})
        CHECK_FALSE(set_by(plain_url, value));
    CHECK(set_by(secure_url, "a=1; Secure"));
    CHECK_FALSE(set_by(secure_url, "__Host-a=1; Secure; Path=/; Domain=example.org"));
}

TEST_CASE("a field of a saved head belongs to its domain, or else to the host of the user") {
    const auto named = parse_saved_cookie("a=1; Domain=example.org", "other.org", now);
    REQUIRE(named);
    CHECK(named->domain == "example.org");
    CHECK_FALSE(named->host_only);
    const auto unnamed = parse_saved_cookie(" a=1; Path=/x", "other.org", now);
    REQUIRE(unnamed);
    CHECK(unnamed->domain == "other.org");
    CHECK(unnamed->host_only);
    CHECK(unnamed->path == "/x");
    CHECK_FALSE(parse_saved_cookie("a=1", "", now));
    CHECK_FALSE(parse_saved_cookie("=1", "other.org", now));
}

TEST_CASE("a line of Netscape's file is written as it was read") {
    for (const std::string line : {".example.org\tTRUE\t/\tFALSE\t2000000000\twide\t1\n",
                                   "#HttpOnly_www.example.org\tFALSE\t/a\tTRUE\t0\thidden\t\n"}) {
        const auto cookie = parse_netscape_line(line.substr(0, line.size() - 1));
        REQUIRE(cookie);
        CHECK(netscape_line(*cookie) == line);
    }
    // The times of browser extensions and of Python.
    const auto exact = parse_netscape_line("h.org\tFALSE\t/\tFALSE\t2000000000.25\ta\t1");
    REQUIRE(exact);
    CHECK(exact->expires == 2000000000);
    const auto session = parse_netscape_line("h.org\tFALSE\t/\tFALSE\t\ta\t1");
    REQUIRE(session);
    CHECK_FALSE(session->expires);
    for (const auto* const other :
         {"", "# comment", "too\tfew", "h.org\tFALSE\tpath\tFALSE\t0\ta\t1",
          "h.org\tFALSE\t/\tFALSE\tsoon\ta\t1", "..h.org\tFALSE\t/\tFALSE\t0\ta\t1",
          "h.org\tFALSE\t/\tFALSE\t0\ta\t\x02"})
        CHECK_FALSE(parse_netscape_line(other));
}

TEST_CASE("a cookie fits the requests for its host, its path and its security") {
    const auto plain = *set_by(plain_url, "a=1");
    CHECK(fits(plain, http::Url::parse("http://www.example.org/a?b")));
    CHECK(fits(plain, http::Url::parse("https://www.example.org/a/c")));
    CHECK_FALSE(fits(plain, http::Url::parse("http://www.example.org/ab")));
    CHECK_FALSE(fits(plain, http::Url::parse("http://example.org/a")));
    const auto secure = *set_by(secure_url, "a=1; Secure; Domain=example.org");
    CHECK(fits(secure, http::Url::parse("https://example.org/a")));
    CHECK_FALSE(fits(secure, http::Url::parse("http://example.org/a")));
}

TEST_CASE("a cookie that came without TLS does not hide a secure one") {
    const auto secure = *set_by(secure_url, "a=1; Secure; Path=/; Domain=example.org");
    const auto evil = *set_by(plain_url, "a=2; Path=/");
    CHECK(hides_secure(evil, http::Url::parse(plain_url), secure));
    CHECK_FALSE(hides_secure(evil, http::Url::parse(secure_url), secure));
    CHECK_FALSE(
        hides_secure(*set_by(plain_url, "b=2; Path=/"), http::Url::parse(plain_url), secure));
    CHECK_FALSE(hides_secure(evil, http::Url::parse(plain_url), evil)); // that one is not secure
    CHECK_FALSE(is_same(evil, secure));                                 // another domain
}
