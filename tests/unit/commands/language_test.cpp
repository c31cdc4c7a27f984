#include "commands/language.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace ipcbox;
using ipcbox::commands::Language;

namespace {

using Words = std::vector<std::string>;

std::string mistake_in(std::string_view text) {
    try {
        (void)Language::parse(text, "f");
    } catch (const commands::LanguageError& error) {
        return error.what();
    }
    return "none";
}

bool begins(const std::string& text, std::string_view with) {
    return text.starts_with(with);
}

} // namespace

TEST_CASE("a command has its words, its arguments and its properties") {
    const auto language = Language::parse("# a comment\n"
                                          "\n"
                                          "disk = df '-h x' --n={2:int 1-9}/{1} {1:word}\n"
                                          "    timeout 1m30s\n"
                                          "\tmax-output 64K\r\n"
                                          "  user nobody\n"
                                          "  concurrency 2\n"
                                          "  rate 5/1m\n"
                                          "  env A=b c\n"
                                          "  env D=\n"
                                          "  help How full\n"
                                          "uptime=uptime",
                                          "f");
    REQUIRE(language.commands().size() == 2);
    const auto* const disk = language.find("disk");
    REQUIRE(disk != nullptr);
    CHECK(disk->line == 3);
    CHECK(disk->timeout == Duration{std::chrono::seconds{90}});
    CHECK(disk->max_output == 65536);
    CHECK(disk->user == "nobody");
    CHECK(disk->concurrency == 2);
    REQUIRE(disk->rate.has_value());
    CHECK(disk->rate->count == 5);
    CHECK(disk->rate->window == Duration{std::chrono::minutes{1}});
    CHECK(disk->environment == Words{"A=b c", "D="});
    CHECK(disk->help == "How full");
    CHECK(disk->usage() == "disk WORD 1-9");
    CHECK(disk->with(Words{"home", "7"}) == Words{"df", "-h x", "--n=7/home", "home"});
    CHECK_THROWS_AS((void)disk->with(Words{"home"}), commands::ArgumentError);
    CHECK_THROWS_AS((void)disk->with(Words{"home", "0"}), commands::ArgumentError);
    CHECK_THROWS_AS((void)disk->with(Words{"-home", "1"}), commands::ArgumentError);
    CHECK(language.find("uptime")->timeout == Duration{std::chrono::seconds{30}});
    CHECK(language.find("Disk") == nullptr);
}

TEST_CASE("an argument is never split, and quotes around it change nothing") {
    const auto language = Language::parse("say = echo \"<{1:/.*/}>\" '{1}' \\{1} {x}\n", "f");
    CHECK(language.find("say")->with(Words{"a b; $c 'd"}) ==
          Words{"echo", "<a b; $c 'd>", "a b; $c 'd", "{1}", "{x}"});
}

TEST_CASE("a regular expression can have braces and blanks in it") {
    const auto language = Language::parse(R"(x = y {1:/[a-z ]{2,3}\/}/})", "f");
    CHECK(language.find("x")->with(Words{"a b/}"}) == Words{"y", "a b/}"});
}

TEST_CASE("timeout 0 is no limit") {
    CHECK_FALSE(Language::parse("x = y\n timeout 0\n", "f").find("x")->timeout);
}

TEST_CASE("a mistake is reported with its line and column") {
    CHECK(begins(mistake_in("x = y\n  speed 5\n"), "f:2:3: expected timeout"));
    CHECK(begins(mistake_in("x = y\n  timeout fast\n"), "f:2:11: expected a duration"));
    CHECK(begins(mistake_in("x = y\n  max-output 0\n"), "f:2:14: expected a size"));
    CHECK(begins(mistake_in("x = y\n  concurrency 5000\n"), "f:2:15: expected a number"));
    for (const char* rate : {"5", "0/1m", "5/0", "/1m", "5/", "-1/1m", "5/1m/1m"})
        CHECK(begins(mistake_in(fmt::format("x = y\n  rate {}\n", rate)),
                     "f:2:8: expected a number of runs in a time"));
    CHECK(begins(mistake_in("x = y\n  env =b\n"), "f:2:7: expected NAME=VALUE"));
    CHECK(begins(mistake_in(" timeout 5\n"), "f:1:1: expected a command"));
    CHECK(begins(mistake_in("x\n"), "f:1:2: expected ="));
    CHECK(begins(mistake_in("1x = y\n"), "f:1:1: expected the name"));
    CHECK(begins(mistake_in("x = \n"), "f:1:5: expected a program"));
    CHECK(begins(mistake_in("\nx = y | z\n"), "f:2:7: only a shell can act"));
    CHECK(begins(mistake_in("x = y {1:word} 'z\n"), "f:1:16: this ' is not"));
    CHECK(begins(mistake_in("x = y {1:word\n"), "f:1:7: this brace"));
    CHECK(begins(mistake_in("x = y {1:/a}\n"), "f:1:7: this brace"));
    CHECK(begins(mistake_in("x = y {1:text}\n"), "f:1:7: expected word"));
    CHECK(begins(mistake_in("x = y {1}\n"), "f:1:7: expected a type"));
    CHECK(begins(mistake_in("x = y {0:word}\n"), "f:1:7: expected {N:TYPE}"));
    CHECK(begins(mistake_in("x = y {2:word}\n"), "f:1:5: argument 1 is missing"));
    CHECK(
        begins(mistake_in("x = y {1:word} {1:int}\n"), "f:1:16: this argument already has a type"));
    CHECK(begins(mistake_in("x = {1:word}\n"), "f:1:5: a client's argument cannot choose"));
    CHECK(begins(mistake_in("x = y\nx = z\n"), "f:2:1: x is there already, in line 1"));
    CHECK(begins(mistake_in("quit = y\n"), "f:1:1: quit is always"));
    CHECK(begins(mistake_in("x = y\x01\n"), "f:1:6: a control byte"));
}

TEST_CASE("a command of the command line is added under the same rules") {
    Language language;
    language.add("up=uptime -p", "--command");
    CHECK(language.find("up")->with({}) == Words{"uptime", "-p"});
    CHECK_THROWS_AS(language.add("up=x", "--command"), commands::LanguageError);
    CHECK_THROWS_AS(language.add("a=b\nc=d", "--command"), commands::LanguageError);
}
