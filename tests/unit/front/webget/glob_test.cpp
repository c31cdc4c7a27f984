#include "front/webget/glob.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <stdexcept>

using namespace ipcbox::front;

namespace {

std::string urls(std::string_view text) {
    std::string all;
    for (const auto& one : expand_globs(text))
        all += (all.empty() ? "" : " ") + one.url;
    return all;
}

std::string wrong(std::string_view text) {
    try {
        return urls(text);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
}

} // namespace

TEST_CASE("braces and brackets stand for several URLs") {
    CHECK(urls("h/a") == "h/a");
    CHECK(urls("h/{a,b}") == "h/a h/b");
    CHECK(urls("h/{a,,b}x") == "h/ax h/x h/bx");
    CHECK(urls("h/[1-3]") == "h/1 h/2 h/3");
    CHECK(urls("h/[008-011]") == "h/008 h/009 h/010 h/011");
    CHECK(urls("h/[0-2]") == "h/0 h/1 h/2");
    CHECK(urls("h/[a-c]") == "h/a h/b h/c");
    CHECK(urls("h/[1-10:4]") == "h/1 h/5 h/9");
    CHECK(urls("h/[a-e:2]") == "h/a h/c h/e");
    CHECK(urls("{a,b}.h/[1-2]") == "a.h/1 a.h/2 b.h/1 b.h/2");
    CHECK(urls("h/[5-5]") == "h/5");
}

TEST_CASE("an address, an escape and an empty pair of brackets are as they are") {
    CHECK(urls("http://[::1]:80/[1-2]") == "http://[::1]:80/1 http://[::1]:80/2");
    CHECK(urls("http://[fe80::1%25eth0]/") == "http://[fe80::1%25eth0]/");
    CHECK(urls("h/\\{a,b\\}") == "h/{a,b}");
    CHECK(urls("h/\\[1-3\\]") == "h/[1-3]");
    CHECK(urls("h/{a\\,b,c}") == "h/a,b h/c");
    CHECK(urls("h?a[]=1") == "h?a[]=1");
    // Nothing beyond the end of the text is read.
    CHECK(urls(std::string_view{"h?a[]]"}.substr(0, 5)) == "h?a[]");
    CHECK(urls("h/a\\b") == "h/a\\b");
}

TEST_CASE("an invalid pattern is refused") {
    for (const auto* bad :
         {"h/{a,b", "h/[1-3", "h/[1]", "h/[3-1]", "h/[a-3]", "h/[1-3:0]", "h/[1-3:x]", "h/[-]",
          "h/[c-a]", "h/a}", "h/a]", "h/{a,{b}}", "h/[1-18446744073709551615]", "h/[1-99999999]",
          "h/[1-1000000][1-1000000]", "h/["}) {
        CAPTURE(bad);
        CHECK_THROWS_AS((void)expand_globs(bad), std::invalid_argument);
    }
    CHECK(wrong("h/[x]") == "expected a range such as [1-10] or [a-z:2], not [x] (-g treats "
                            "brackets as ordinary characters)");
}

TEST_CASE("the name of a file has the values of the globs in it") {
    const auto all = expand_globs("h/{a,b}/[1-2]");
    REQUIRE(all.size() == 4);
    CHECK(fill_in("x_#1_#2.html", all[2].values) == "x_b_1.html");
    CHECK(fill_in("#3#0#", all[0].values) == "#3#0#");
    CHECK(fill_in("#12", all[0].values) == "#12");
    CHECK(fill_in("##1", all[0].values) == "#a");
}
