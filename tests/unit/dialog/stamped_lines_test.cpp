#include "dialog/stamped_lines.h"

#include <algorithm>
#include <cstring>
#include <doctest/doctest.h>

using namespace ipcbox::dialog;
using namespace std::chrono_literals;

namespace {

constexpr auto max = LineSplitter::max_piece;

using Texts = std::vector<std::string>;

std::string marked(const Piece& piece) {
    return std::string{piece.text} + (piece.kind == Piece::Kind::partial ? "+" : "$");
}

// Adds TEXT, and returns the pieces that are ready then.
Texts pieces(LineSplitter& splitter, std::string_view text, Moment now = 0s) {
    Texts all;
    while (!text.empty()) {
        const auto space = splitter.space();
        REQUIRE_FALSE(space.empty());
        const auto count = std::min(space.size(), text.size());
        std::memcpy(space.data(), text.data(), count);
        text.remove_prefix(count);
        splitter.add(count, now);
        while (const auto piece = splitter.next())
            all.push_back(marked(*piece));
    }
    return all;
}

std::string line(LineText::Form form, Stream stream, const Piece& piece,
                 LineText::Colours colours = LineText::Colours::none) {
    LineText lines{form, colours};
    lines.begin(stream, "12:00");
    std::string text;
    lines.append(text, piece);
    return text;
}

std::string json(std::string_view text) {
    std::string into;
    append_json(into, text);
    return into;
}

} // namespace

TEST_CASE("bytes are split into lines, wherever they are cut") {
    LineSplitter splitter;
    CHECK(pieces(splitter, "a\n\nbc\nd") == Texts{"a$", "$", "bc$"});
    CHECK(pieces(splitter, "e").empty());
    CHECK(pieces(splitter, "f\n") == Texts{"def$"});
    CHECK(pieces(splitter, {"x\0y\r\n", 5}) == Texts{std::string{"x\0y\r$", 5}});
    CHECK_FALSE(splitter.rest(LineSplitter::Rest::last));
}

TEST_CASE("a long line comes in pieces") {
    LineSplitter splitter;
    const std::string full(max, 'x');
    CHECK(pieces(splitter, full + "\n") == Texts{full + "$"});
    CHECK(pieces(splitter, full).empty());
    CHECK(pieces(splitter, "\n") == Texts{full + "$"});
    CHECK(pieces(splitter, full + full + "yz\na\n") == Texts{full + "+", full + "+", "yz$", "a$"});
    // A character is not cut.
    const auto cut = full.substr(1) + "\xc3\xa4\n";
    CHECK(pieces(splitter, cut) == Texts{full.substr(1) + "+", "\xc3\xa4$"});
}

TEST_CASE("a line without end takes bounded memory") {
    LineSplitter splitter;
    const std::string much(1'000'000, 'x');
    std::size_t bytes = 0;
    for (int round = 0; round < 10; ++round)
        for (const auto& piece : pieces(splitter, much))
            bytes += piece.size() - 1;
    const auto rest = splitter.rest(LineSplitter::Rest::last);
    REQUIRE(rest);
    CHECK(bytes + rest->text.size() == 10'000'000);
}

TEST_CASE("an unfinished line is due 100 ms after its first byte") {
    LineSplitter splitter;
    CHECK_FALSE(splitter.due());
    (void)pieces(splitter, "Pass", 1s);
    (void)pieces(splitter, "word: ", 1050ms);
    CHECK(splitter.due() == Moment{1100ms});
    CHECK(marked(*splitter.rest(LineSplitter::Rest::so_far)) == "Password: +");
    CHECK_FALSE(splitter.due());
    // The end of the line comes later.
    CHECK(pieces(splitter, "\nnext", 3s) == Texts{"$"});
    CHECK(splitter.due() == Moment{3100ms});
}

TEST_CASE("the beginning of a character waits for its end") {
    LineSplitter splitter;
    (void)pieces(splitter, "a\xe2\x82", 1s);
    CHECK(marked(*splitter.rest(LineSplitter::Rest::so_far)) == "a+");
    CHECK(splitter.due());
    CHECK_FALSE(splitter.rest(LineSplitter::Rest::so_far));
    CHECK_FALSE(splitter.due());
    (void)pieces(splitter, "\xac", 2s);
    CHECK(splitter.due() == Moment{2100ms});
    CHECK(marked(*splitter.rest(LineSplitter::Rest::so_far)) == "\xe2\x82\xac+");
    (void)pieces(splitter, "\xe2", 3s);
    CHECK(marked(*splitter.rest(LineSplitter::Rest::last)) == "\xe2+");
}

TEST_CASE("lines have the time, a letter and a mark") {
    constexpr auto text = LineText::Form::text;
    CHECK(line(text, Stream::output, {"a"}) == "12:00 O: a\n");
    CHECK(line(text, Stream::error, {"a"}) == "12:00 E: a\n");
    CHECK(line(text, Stream::information, {"Started"}) == "12:00 I: Started\n");
    CHECK(line(text, Stream::output, {"a", Piece::Kind::partial}) == "12:00 O+ a\n");
    CHECK(line(text, Stream::error, {"a"}, LineText::Colours::some) ==
          "\x1b[31m12:00 E: a\x1b[m\n");
    CHECK(line(text, Stream::output, {"a"}, LineText::Colours::some) == "12:00 O: a\n");
}

TEST_CASE("a line is a JSON object") {
    CHECK(line(LineText::Form::json, Stream::output, {"a"}) ==
          R"({"v":1,"time":"12:00","stream":"stdout","text":"a","partial":false})"
          "\n");
    CHECK(line(LineText::Form::json, Stream::error, {"\"\n", Piece::Kind::partial}) ==
          R"({"v":1,"time":"12:00","stream":"stderr","text":"\"\u000a","partial":true})"
          "\n");
}

TEST_CASE("a JSON string has any bytes") {
    CHECK(json("a\"b\\c\td") == R"(a\"b\\c\td)");
    CHECK(json({"\0\x1b\x7f", 3}) == "\\u0000\\u001b\x7f");
    CHECK(json("\xc3\xa4\xf0\x9f\x98\x80") == "\xc3\xa4\xf0\x9f\x98\x80");
    CHECK(json("a\xff\xc3z") == "a\xef\xbf\xbd\xef\xbf\xbdz");
}
