#include "expect/matcher.h"

#include <doctest/doctest.h>
#include <string>

namespace ipcbox::expect {
namespace {

constexpr std::size_t size = 1024;

TEST_CASE("the text up to the end of a match is done with, what follows is not") {
    Matcher matcher{size, Sequences::kept};
    const Pattern login{"login: "};
    const Pattern word{"[a-z]+!"};
    matcher.add("Welcome\r\nlogin: hello!");
    matcher.look_for({&login});
    REQUIRE(matcher.find());
    CHECK(matcher.text() == "hello!");
    matcher.look_for({&word});
    const auto hit = matcher.find();
    REQUIRE(hit);
    CHECK(hit->match.groups[0] == "hello!");
}

TEST_CASE("a match is found at the byte that completes it") {
    Matcher matcher{size, Sequences::kept};
    const Pattern pattern{"Password: $"};
    matcher.look_for({&pattern});
    const std::string text = "Pass Password: ";
    for (std::size_t at = 0; at + 1 < text.size(); ++at) {
        matcher.add(text.substr(at, 1));
        CHECK_FALSE(matcher.find());
    }
    matcher.add(text.substr(text.size() - 1));
    CHECK(matcher.find());
}

TEST_CASE("of several patterns the one that matches first in the text wins, then the first given") {
    Matcher matcher{size, Sequences::kept};
    const Pattern late{"denied"};
    const Pattern early{"Permission"};
    const Pattern same{"Perm"};
    matcher.add("Permission denied");
    matcher.look_for({&late, &early, &same});
    const auto hit = matcher.find();
    REQUIRE(hit);
    CHECK(hit->which == 1);
}

TEST_CASE("the oldest text goes when there is too much of it, and later text is still found") {
    Matcher matcher{size, Sequences::kept};
    const Pattern pattern{"end"};
    matcher.look_for({&pattern});
    for (int piece = 0; piece < 1000; ++piece) {
        matcher.add(std::string(100, 'x'));
        CHECK_FALSE(matcher.find());
        CHECK(matcher.text().size() <= size);
    }
    matcher.add("en");
    CHECK_FALSE(matcher.find());
    matcher.add("d");
    CHECK(matcher.find());
}

TEST_CASE("while nobody looks, the text stays bounded, too") {
    Matcher matcher{size, Sequences::kept};
    const Pattern pattern{"end$"};
    for (int piece = 0; piece < 1000; ++piece) {
        matcher.add(std::string(100, 'x'));
        CHECK(matcher.text().size() <= size);
    }
    matcher.add("end");
    matcher.look_for({&pattern});
    CHECK(matcher.find());
}

TEST_CASE("a piece that is larger than the limit is searched whole") {
    Matcher matcher{size, Sequences::kept};
    const Pattern pattern{"begin"};
    matcher.look_for({&pattern});
    matcher.add("begin" + std::string(10 * size, 'x'));
    CHECK(matcher.find());
    CHECK(matcher.text().size() == 10 * size);
    matcher.look_for({});
    CHECK(matcher.text().size() <= size);
}

TEST_CASE("colours do not part what is looked for once sequences are stripped") {
    Matcher matcher{size, Sequences::stripped};
    const Pattern pattern{"root@host"};
    matcher.add("\x1b[1mroot\x1b[");
    matcher.add("0m@host");
    matcher.look_for({&pattern});
    CHECK(matcher.find());
}

} // namespace
} // namespace ipcbox::expect
