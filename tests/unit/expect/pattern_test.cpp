#include "expect/pattern.h"

#include "core/error.h"

#include <doctest/doctest.h>
#include <string>

namespace ipcbox::expect {
namespace {

TEST_CASE("a match tells where it stands and what its groups hold") {
    const auto found = Pattern{"(l+)o (x)?(w)"}.search("hello world");
    REQUIRE(found.match);
    CHECK(found.match->begin == 2);
    CHECK(found.match->end == 7);
    CHECK(found.match->groups == std::vector<std::string>{"llo w", "ll", "", "w"});
}

TEST_CASE(
    "a match that has only begun is found when its end arrives, at whatever byte it was cut") {
    const Pattern pattern{"pass(?:word|phrase): "};
    const std::string text = "some text, paspass\r\npassphrase: ";
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
        CAPTURE(cut);
        const auto begun = pattern.search(text.substr(0, cut));
        REQUIRE_FALSE(begun.match);
        const auto found = pattern.search(text, begun.resume);
        REQUIRE(found.match);
        CHECK(found.match->begin == 20);
        CHECK(found.match->end == text.size());
    }
}

TEST_CASE("a text without a beginning of a match is done with") {
    const auto found = Pattern{"needle"}.search("hay hay hay");
    CHECK_FALSE(found.match);
    CHECK(found.resume == 11);
    CHECK(found.keep > 0);
}

TEST_CASE("bytes before the place to resume at are kept as far as the expression looks back") {
    const Pattern pattern{"(?<=user: )root"};
    const auto begun = pattern.search("xx user: ");
    CHECK_FALSE(begun.match);
    CHECK(begun.keep <= 3);
    const auto found = pattern.search("xx user: root", begun.resume);
    REQUIRE(found.match);
    CHECK(found.match->begin == 9);
}

TEST_CASE("the dollar sign matches at the end of what has arrived") {
    const Pattern prompt{"\\$ $"};
    CHECK(prompt.search("bash$ ").match);
    CHECK_FALSE(prompt.search("cost: $ 5").match);
}

TEST_CASE("a carriage return ends a line as a line feed does") {
    const auto found = Pattern{"name=(.*)"}.search("name=ada\r\nnext");
    REQUIRE(found.match);
    CHECK(found.match->groups[1] == "ada");
    CHECK(Pattern{"(?m)^next$"}.search("first\r\nnext\r\n").match);
}

TEST_CASE("every byte can be matched, NUL and bytes that are no UTF-8 too") {
    using namespace std::string_literals;
    const auto found = Pattern{"\\x00\\xff(.)"}.search("a\0\xff\xfe"s);
    REQUIRE(found.match);
    CHECK(found.match->groups[1] == "\xfe");
}

TEST_CASE("a wrong expression is refused with the place of the mistake") {
    try {
        const Pattern pattern{"ab(c"};
        FAIL("accepted");
    } catch (const BadPattern& error) {
        CHECK(error.offset() == 4);
        CHECK(std::string{error.what()}.find("parenthes") != std::string::npos);
    }
}

TEST_CASE("an expression that backtracks without end is an error and no hang") {
    const Pattern pattern{"^(a+)+b$"};
    const std::string text = std::string(64, 'a') + "c";
    CHECK_THROWS_AS((void)pattern.search(text), Error);
}

TEST_CASE("a complete text matches or does not") {
    CHECK(Pattern{"ready|listening"}.matches("now listening on 80"));
    CHECK_FALSE(Pattern{"^ready$"}.matches("not ready"));
}

} // namespace
} // namespace ipcbox::expect
