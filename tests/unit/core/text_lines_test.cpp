#include "core/text_lines.h"

#include <doctest/doctest.h>
#include <string>
#include <vector>

using namespace ipcbox;

namespace {

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> found;
    for (TextLines lines{text}; const auto line = lines.next();) {
        found.emplace_back(line->text);
        CHECK(line->number == found.size());
    }
    return found;
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("lines end with a line feed, and a carriage return before it is not a part of them") {
    CHECK(lines_of("one\ntwo\n") == Texts{"one", "two"});
    CHECK(lines_of("one\r\n\r\ntwo\r\n") == Texts{"one", "", "two"});
    CHECK(lines_of("a\rb\n") == Texts{"a\rb"});
}

TEST_CASE("the last line needs no line feed, and an empty text has no lines") {
    CHECK(lines_of("one\ntwo") == Texts{"one", "two"});
    CHECK(lines_of("\n") == Texts{""});
    CHECK(lines_of("").empty());
}

TEST_CASE("a byte order mark counts for nothing at the beginning only") {
    CHECK(lines_of("\xef\xbb\xbfone\ntwo") == Texts{"one", "two"});
    CHECK(lines_of("\xef\xbb\xbf").empty());
    CHECK(lines_of("one\n\xef\xbb\xbftwo") == Texts{"one", "\xef\xbb\xbftwo"});
    CHECK(without_byte_order_mark("\xef\xbb\xbf\xef\xbb\xbfx") == "\xef\xbb\xbfx");
    CHECK(without_byte_order_mark("\xef\xbb") == "\xef\xbb");
}

TEST_CASE("trimming takes blanks from both ends and leaves those within") {
    CHECK(trimmed(" \ta b\t\r") == "a b");
    CHECK(trimmed("a") == "a");
    CHECK(trimmed(" \t\r").empty());
    CHECK(trimmed("").empty());
}
