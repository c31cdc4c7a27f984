#include "core/words.h"

#include <doctest/doctest.h>

using namespace ipcbox;

TEST_CASE("take_until gives the pieces between separators, the empty ones too") {
    std::string_view text = "a,,bc,";
    CHECK(take_until(text, ',') == "a");
    CHECK(take_until(text, ',').empty());
    CHECK(take_until(text, ',') == "bc");
    CHECK(text.empty());
    CHECK(take_until(text, ',').empty());
}

TEST_CASE("take_until takes everything when there is no separator") {
    std::string_view text = "whole";
    CHECK(take_until(text, ' ') == "whole");
    CHECK(text.empty());
}

TEST_CASE("take_word skips the blanks before a word and leaves those after it") {
    std::string_view text = " \tone two\n";
    CHECK(take_word(text) == "one");
    CHECK(text == " two\n");
    CHECK(take_word(text) == "two");
    CHECK(take_word(text).empty());
    CHECK(text.empty());
    std::string_view colons = "::x:y";
    CHECK(take_word(colons, ":") == "x");
}

TEST_CASE("a set of bytes ends a piece and stays") {
    std::string_view text = "90min";
    CHECK(take_while_in(text, "0123456789") == "90");
    CHECK(take_until_any_of(text, "n") == "mi");
    CHECK(text == "n");
    CHECK(take_while_in(text, "x").empty());
    CHECK(text == "n");
}
