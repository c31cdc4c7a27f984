#include "core/utf8.h"

#include <doctest/doctest.h>

using namespace ipcbox;

TEST_CASE("the sequence at the front of a text has a length") {
    CHECK(utf8_length("abc") == 1);
    CHECK(utf8_length(std::string_view{"\0", 1}) == 1);
    CHECK(utf8_length("\xc3\xa4x") == 2);
    CHECK(utf8_length("\xe2\x82\xac") == 3);
    CHECK(utf8_length("\xf0\x9f\x98\x80") == 4);
}

TEST_CASE("bytes that are no sequence have none") {
    CHECK(utf8_length("") == 0);
    CHECK(utf8_length("\x80") == 0);
    CHECK(utf8_length("\xc3") == 0);
    CHECK(utf8_length("\xc3x") == 0);
    CHECK(utf8_length("\xc0\x80") == 0);         // overlong
    CHECK(utf8_length("\xe0\x80\x80") == 0);     // overlong
    CHECK(utf8_length("\xed\xa0\x80") == 0);     // a surrogate
    CHECK(utf8_length("\xf4\x90\x80\x80") == 0); // beyond U+10FFFF
    CHECK(utf8_length("\xff") == 0);
}

TEST_CASE("a sequence that continues after a text is unfinished") {
    CHECK(utf8_unfinished("") == 0);
    CHECK(utf8_unfinished("abc") == 0);
    CHECK(utf8_unfinished("a\xc3\xa4") == 0);
    CHECK(utf8_unfinished("a\xc3") == 1);
    CHECK(utf8_unfinished("a\xe2\x82") == 2);
    CHECK(utf8_unfinished("a\xf0\x9f\x98") == 3);
    CHECK(utf8_unfinished("\x80\x80\x80\x80") == 0);
}
