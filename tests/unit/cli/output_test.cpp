#include "cli/output.h"

#include <doctest/doctest.h>

using ipcbox::cli::visible;
using ipcbox::cli::visible_line;
using ipcbox::cli::VisibleText;

TEST_CASE("plain text stays unchanged") {
    CHECK(visible("").empty());
    CHECK(visible("plain text, 100 %\tand\nlines\n") == "plain text, 100 %\tand\nlines\n");
    CHECK(visible("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb1") ==
          "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\xb1");
}

TEST_CASE("controls cannot drive a terminal") {
    CHECK(visible("\x1b[31m") == "^[[31m");
    CHECK(visible("a\rb\bc\x7f") == "a^Mb^Hc^?");
    CHECK(visible("a\r\nb\r\r\n") == "a\nb^M\n");
    CHECK(visible(std::string_view{"\0", 1}) == "^@");
    CHECK(visible("\x07") == "^G");
}

TEST_CASE("a line of ours stays one line") {
    CHECK(visible_line("").empty());
    CHECK(visible_line("caf\xc3\xa9\tbar") == "caf\xc3\xa9\tbar");
    CHECK(visible_line("a\nb\r\nc\n") == "a^Jb^M^Jc^J");
    CHECK(visible_line("\x1b[31m\xff") == "^[[31m\\xff");
}

TEST_CASE("the C1 controls cannot drive a terminal, as a byte or as UTF-8") {
    CHECK(visible("\x9b"
                  "31m") == "\\x9b31m");
    CHECK(visible("\xc2\x9b"
                  "31m") == "\\xc2\\x9b31m");
    CHECK(visible("\xc2\x80\xc2\x9f") == "\\xc2\\x80\\xc2\\x9f");
    CHECK(visible("\xc2\xa0") == "\xc2\xa0"); // the first harmless character
}

TEST_CASE("text that is not UTF-8 is shown byte by byte") {
    CHECK(visible("\xff") == "\\xff");
    CHECK(visible("\x80") == "\\x80");
    CHECK(visible("\xc3(") == "\\xc3(");        // a sequence cut short
    CHECK(visible("\xe2\x82") == "\\xe2\\x82"); // at the end too
    CHECK(visible("\xc0\x9b") == "\\xc0\\x9b"); // overlong escape
    CHECK(visible("\xc1\xbf") == "\\xc1\\xbf");
    CHECK(visible("\xe0\x80\x9b") == "\\xe0\\x80\\x9b"); // overlong, of three bytes
    CHECK(visible("\xe0\x9f\xbf") == "\\xe0\\x9f\\xbf");
    CHECK(visible("\xe0\xa0\x80") == "\xe0\xa0\x80");
    CHECK(visible("\xf0\x80\x80\x9b") == "\\xf0\\x80\\x80\\x9b"); // overlong, of four bytes
    CHECK(visible("\xf0\x90\x80\x80") == "\xf0\x90\x80\x80");
    CHECK(visible("\xed\xa0\x80") == "\\xed\\xa0\\x80"); // a surrogate
    CHECK(visible("\xed\x9f\xbf") == "\xed\x9f\xbf");
    CHECK(visible("\xf4\x8f\xbf\xbf") == "\xf4\x8f\xbf\xbf");
    CHECK(visible("\xf4\x90\x80\x80") == "\\xf4\\x90\\x80\\x80"); // beyond U+10FFFF
    CHECK(visible("\xf5\x80\x80\x80") == "\\xf5\\x80\\x80\\x80");
}

TEST_CASE("good bytes are shown again after a bad one") {
    CHECK(visible("a\xff\xc3\xa9\x1b") == "a\\xff\xc3\xa9^[");
    CHECK(visible("\xe2\x1b\x82\xac") == "\\xe2^[\\x82\\xac");
}

TEST_CASE("a text in pieces is shown as if it had come at once") {
    const std::string text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\x1b\xff\xe2\x82(\xc3\r\n";
    for (std::size_t cut = 0; cut <= text.size(); ++cut)
        for (std::size_t second = cut; second <= text.size(); ++second) {
            VisibleText pieces;
            auto shown = pieces.next(text.substr(0, cut));
            shown += pieces.next(text.substr(cut, second - cut));
            shown += pieces.next(text.substr(second));
            shown += pieces.finish();
            CHECK(shown == visible(text));
        }
    VisibleText pieces;
    CHECK(pieces.next("ab\xe2\x82") == "ab"); // only the unfinished sequence is held back
}
