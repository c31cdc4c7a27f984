#include "cookies/jar.h"

#include "cookies/public_suffix.h"
#include "http/response_parser.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace ipcbox;
using namespace ipcbox::cookies;

namespace {

constexpr std::time_t now = 1'000'000'000; // 2001-09-09 01:46:40
constexpr auto keep = Jar::SessionCookies::keep;

// The Cookie field for URL after ORIGIN has set these cookies.
std::string told(std::initializer_list<std::string_view> cookies, std::string_view origin,
                 std::string_view url) {
    Jar jar;
    for (const auto cookie : cookies)
        jar.store(http::Url::parse(origin), cookie, now);
    return jar.field_for(http::Url::parse(url), now);
}

std::string loaded(std::string_view text, std::string_view url,
                   Jar::SessionCookies session = keep) {
    Jar jar;
    jar.load(text, now, session);
    return jar.field_for(http::Url::parse(url), now);
}

} // namespace

TEST_CASE("a cookie without a domain goes back to its host only") {
    CHECK(told({"a=1"}, "http://www.example.org/", "http://www.example.org/x") == "a=1");
    for (const auto* other : {"http://example.org/", "http://a.www.example.org/",
                              "http://wwww.example.org/", "http://127.0.0.1/"})
        CHECK(told({"a=1"}, "http://www.example.org/", other).empty());
    CHECK(told({"a=1"}, "http://h.example:81/", "https://h.example/") == "a=1"); // ports are one
    CHECK(told({" a = 1 ; Path=/ "}, "http://h.example/", "http://h.example/") == "a=1");
    CHECK(told({"a=\"1 2\""}, "http://h.example/", "http://h.example/") == "a=\"1 2\"");
    CHECK(told({"a=b=c"}, "http://h.example/", "http://h.example/") == "a=b=c");
    for (const auto* none : {"a", "=1", "", ";", "a\t\x01=1", "a=1\x01"})
        CHECK(told({none}, "http://h.example/", "http://h.example/").empty());
}

TEST_CASE("a domain widens a cookie to the hosts below it, and never to strangers") {
    const auto* const www = "http://www.example.org/";
    for (const auto* domain : {"example.org", ".example.org", "EXAMPLE.org"}) {
        const auto cookie = fmt::format("a=1; Domain={}", domain);
        CHECK(told({cookie}, www, "http://example.org/") == "a=1");
        CHECK(told({cookie}, www, "http://b.example.org/") == "a=1");
        CHECK(told({cookie}, www, "http://badexample.org/").empty());
    }
    for (const auto* foreign : {"other.org", "www.example.org.evil.org", "b.www.example.org",
                                "xample.org", "org", ".org", "."}) {
        const auto cookie = fmt::format("a=1; Domain={}", foreign);
        CAPTURE(foreign);
        if (std::string_view{foreign} == ".") // this one names nothing
            CHECK(told({cookie}, www, www) == "a=1");
        else
            CHECK(told({cookie}, www, www).empty());
    }
    CHECK(told({"a=1; Domain=example.org; Domain=other.org"}, www, www).empty());
    // There is no domain above an address.
    CHECK(told({"a=1; Domain=0.0.1"}, "http://127.0.0.1/", "http://127.0.0.1/").empty());
    CHECK(told({"a=1; Domain=127.0.0.1"}, "http://127.0.0.1/", "http://127.0.0.1/") == "a=1");
}

TEST_CASE("a public suffix cannot have cookies") {
    for (const auto* suffix :
         {"com", "co.uk", "github.io", "xn--55qx5d.cn", "nowhere", "s3.amazonaws.com"})
        CHECK(is_public_suffix(suffix));
    for (const auto* name : {"example.com", "example.co.uk", "a.github.io", "a.xn--55qx5d.cn"})
        CHECK_FALSE(is_public_suffix(name));
    CHECK(told({"a=1; Domain=co.uk"}, "http://x.co.uk/", "http://y.co.uk/").empty());
    CHECK(told({"a=1; Domain=co.uk"}, "http://x.co.uk/", "http://x.co.uk/").empty());
    // A host that is itself a public suffix keeps its cookies to itself.
    CHECK(told({"a=1; Domain=github.io"}, "http://github.io/", "http://github.io/") == "a=1");
    CHECK(told({"a=1; Domain=github.io"}, "http://github.io/", "http://me.github.io/").empty());
    CHECK(told({"a=1; Domain=localhost"}, "http://localhost/", "http://localhost/") == "a=1");
}

TEST_CASE("a path limits a cookie to the paths below it") {
    const auto* const origin = "http://h.example/a/b/c?d/e";
    for (const auto* there : {"/a/b", "/a/b/", "/a/b/x", "/a/b?x"})
        CHECK(told({"k=1"}, origin, "http://h.example" + std::string{there}) == "k=1");
    for (const auto* elsewhere : {"/", "/a", "/a/bc", "/A/b/"})
        CHECK(told({"k=1"}, origin, "http://h.example" + std::string{elsewhere}).empty());
    CHECK(told({"k=1; Path=/x/"}, origin, "http://h.example/x/y") == "k=1");
    CHECK(told({"k=1; Path=/x/"}, origin, "http://h.example/x").empty());
    CHECK(told({"k=1; Path=x"}, origin, "http://h.example/a/b/") == "k=1");
    CHECK(told({"a=1; Path=/", "b=2; Path=/a", "c=3; Path=/", "a=4; Path=/"}, origin,
               "http://h.example/a") == "b=2; a=4; c=3");
}

TEST_CASE("secure cookies go over https, and to our own machine") {
    const auto* const cookie = "a=1; Secure; Path=/";
    CHECK(told({cookie}, "https://h.example/", "https://h.example/") == "a=1");
    CHECK(told({cookie}, "https://h.example/", "http://h.example/").empty());
    CHECK(told({cookie}, "http://h.example/", "https://h.example/").empty());
    CHECK(told({cookie}, "http://localhost/", "http://localhost/") == "a=1");
    CHECK(told({cookie}, "http://127.0.0.1/", "http://127.0.0.1/") == "a=1");
    Jar jar;
    jar.store(http::Url::parse("https://h.example/"), cookie, now);
    jar.store(http::Url::parse("http://h.example/"), "a=evil; Path=/", now);
    CHECK(jar.field_for(http::Url::parse("https://h.example/"), now) == "a=1");
    CHECK(told({"__Secure-a=1"}, "https://h.example/", "https://h.example/").empty());
    CHECK(told({"__Host-a=1; Secure"}, "https://h.example/x/", "https://h.example/x/").empty());
    CHECK(told({"__Host-a=1; Secure; Path=/"}, "https://h.example/x/", "https://h.example/") ==
          "__Host-a=1");
}

TEST_CASE("cookies end at their time") {
    const auto at = [](std::string_view attributes, std::time_t time) {
        Jar jar;
        jar.store(http::Url::parse("http://h.example/"), fmt::format("a=1;{}", attributes), now);
        return jar.field_for(http::Url::parse("http://h.example/"), time) == "a=1";
    };
    CHECK(at("Max-Age=60", now + 59));
    CHECK_FALSE(at("Max-Age=60", now + 60));
    CHECK_FALSE(at("Max-Age=0", now));
    CHECK_FALSE(at("Max-Age=-5", now));
    CHECK(at("Max-Age=x", now + 9999));
    CHECK(at("Max-Age=99999999999999999999", now + 9999));
    CHECK(at("Expires=Sun, 09 Sep 2001 01:46:41 GMT", now));
    CHECK_FALSE(at("Expires=Sun, 09 Sep 2001 01:46:41 GMT", now + 1));
    CHECK_FALSE(at("Expires=Thu, 01-Jan-1970 00:00:10 GMT", now));
    CHECK(at("Expires=Thu, 01-Jan-1970 00:00:10 GMT; Max-Age=60", now));
    CHECK(at("Expires=whenever", now));
    CHECK(told({"a=1; Path=/", "a=; Path=/; Max-Age=0"}, "http://h.example/", "http://h.example/")
              .empty());
}

TEST_CASE("a cookie file is read and written as curl does it") {
    constexpr auto file = "# Netscape HTTP Cookie File\n"
                          "\n"
                          ".example.org\tTRUE\t/\tFALSE\t2000000000\twide\t1\n"
                          "www.example.org\tFALSE\t/\tFALSE\t0\tsession\t2\r\n"
                          "#HttpOnly_www.example.org\tFALSE\t/a\tFALSE\t2000000000\thidden\t3\n"
                          "www.example.org\tFALSE\t/\tTRUE\t2000000000\tsecure\t4\n"
                          "www.example.org\tFALSE\t/\tFALSE\t999999999\told\t5\n"
                          "www.example.org\tFALSE\t/\tFALSE\t2000000000\tempty\t\n"
                          "www.example.org\tFALSE\t/\tFALSE\tnonsense\tbad\t6\n"
                          "..example.org\tFALSE\t/\tFALSE\t2000000000\tdots\t7\n"
                          ".#example.org\tFALSE\t/\tFALSE\t2000000000\tcomment\t8\n"
                          "too\tfew\n";
    CHECK(loaded(file, "http://www.example.org/a") == "hidden=3; wide=1; session=2; empty=");
    CHECK(loaded(file, "https://www.example.org/") == "wide=1; session=2; secure=4; empty=");
    CHECK(loaded(file, "http://b.example.org/") == "wide=1");
    CHECK(loaded(file, "http://www.example.org/", Jar::SessionCookies::junk) == "wide=1; empty=");
    Jar jar;
    jar.load(file, now, keep);
    const auto written = jar.netscape_text(now);
    CHECK(written == "# Netscape HTTP Cookie File\n# Written by webget.\n\n"
                     ".example.org\tTRUE\t/\tFALSE\t2000000000\twide\t1\n"
                     "www.example.org\tFALSE\t/\tFALSE\t0\tsession\t2\n"
                     "#HttpOnly_www.example.org\tFALSE\t/a\tFALSE\t2000000000\thidden\t3\n"
                     "www.example.org\tFALSE\t/\tTRUE\t2000000000\tsecure\t4\n"
                     "www.example.org\tFALSE\t/\tFALSE\t2000000000\tempty\t\n");
    CHECK(loaded(written, "http://www.example.org/a") == "hidden=3; wide=1; session=2; empty=");
    CHECK(loaded("HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Domain=example.org; Path=/\r\n"
                 "set-cookie: b=2\r\n",
                 "http://example.org/") == "a=1");
}

TEST_CASE("a server cannot fill the jar") {
    Jar jar;
    http::ResponseHead head;
    for (int number = 0; number < 200; ++number)
        head.fields.push_back({"Set-Cookie", fmt::format("c{}=1", number)});
    const auto url = http::Url::parse("http://h.example/");
    jar.store_all(url, head, now);
    CHECK(std::ranges::count(jar.field_for(url, now), '=') == Jar::max_set_by_response);
    for (int number = 0; number < 1000; ++number)
        jar.store(url, fmt::format("d{}=1", number), now);
    CHECK(std::ranges::count(jar.netscape_text(now), '\n') ==
          3 + static_cast<int>(Jar::max_per_domain));
    jar.store(url, "e=" + std::string(5000, 'x'), now);
    CHECK(jar.field_for(url, now).find("e=") == std::string::npos);
    for (int number = 0; number < 100; ++number)
        jar.store(url, fmt::format("f{}={}", number, std::string(4000, 'x')), now);
    CHECK(jar.field_for(url, now).size() <= Jar::max_field_bytes);
}
