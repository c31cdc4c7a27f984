#include "front/webget/config_file.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <stdexcept>
#include <string>
#include <vector>

using ipcbox::front::config_words;

namespace {

std::string words(std::string_view text) {
    std::vector<std::string> texts;
    for (auto& word : config_words(text, "file"))
        texts.push_back(std::move(word.text));
    return fmt::format("{}", fmt::join(texts, "|"));
}

std::string wrong(std::string_view text) {
    try {
        return words(text);
    } catch (const std::invalid_argument& error) {
        return error.what();
    }
}

} // namespace

TEST_CASE("a line of a configuration file is an option, in any of curl's spellings") {
    CHECK(words("url = \"http://h/\"\n") == "--url=http://h/");
    CHECK(words("url=http://h/") == "--url=http://h/");
    CHECK(words("url http://h/?a=b:c\r\n") == "--url=http://h/?a=b:c");
    CHECK(words("user-agent: me\n") == "--user-agent=me");
    CHECK(words("--url http://h/\n--silent\nfail\n") == "--url=http://h/|--silent|--fail");
    CHECK(words("-o file\n-sS\n  -L  \n") == "-o|file|-sS|-L");
    CHECK(words("# comment\n\n   # another\n/* and */\nsilent # behind\n") == "--silent");
    CHECK(words("data = \"\"") == "--data=");
    CHECK(words("").empty());
}

TEST_CASE("a value in quotes may have blanks and escapes in it") {
    CHECK(words(R"(header = "X: a b")") == "--header=X: a b");
    CHECK(words(R"(data = "a\"b\\c\td\nE\q" # x)") == "--data=a\"b\\c\td\nEq");
    CHECK(words("referer = \"#no comment\"") == "--referer=#no comment");
}

TEST_CASE("a word has the place of its line") {
    const auto placed = config_words("silent\n\n-o file", "file");
    REQUIRE(placed.size() == 3);
    CHECK(placed[0].place == "file:1");
    CHECK(placed[1].place == "file:3");
    CHECK(placed[2].place == "file:3");
}

TEST_CASE("a line that would be misread is refused with its number") {
    CHECK(wrong("silent\nheader = \"X: a") == "file:2: expected a closing quote");
    CHECK(wrong("header = X: a b") ==
          "file:1: expected quotes around a value with blanks (option header)");
    // The parser of the options refuses a flag with a value.
    CHECK(words("silent = yes") == "--silent=yes");
}
