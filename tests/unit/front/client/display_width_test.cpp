#include "front/client/display_width.h"

#include <doctest/doctest.h>

using namespace ipcbox::front;

TEST_CASE("a row counts columns, not bytes") {
    CHECK(display_width("a\xc3\xa9") == 2);
    CHECK(display_width("\xe6\xbc\xa2") == 2);     // a Chinese character
    CHECK(display_width("e\xcc\x81") == 1);        // e and a combining accent
    CHECK(display_width("\xf0\x9f\x98\x80") == 2); // a face
    CHECK(display_width("") == 0);
}

TEST_CASE("a text is cut between characters, and a wide one needs both its columns") {
    constexpr auto text = "a\xe6\xbc\xa2"
                          "e\xcc\x81"; // columns: 1, 2, 1
    CHECK(begin_that_fits(text, 4) == text);
    CHECK(begin_that_fits(text, 3) == "a\xe6\xbc\xa2");
    CHECK(begin_that_fits(text, 2) == "a");
    CHECK(begin_that_fits(text, 0).empty());
    CHECK(end_that_fits(text, 4) == text);
    CHECK(end_that_fits(text, 3) == "\xe6\xbc\xa2"
                                    "e\xcc\x81");
    CHECK(end_that_fits(text, 2) == "e\xcc\x81");
    CHECK(end_that_fits("ab", 0).empty());
}
