#include "expect/ansi.h"

#include <doctest/doctest.h>
#include <string>

namespace ipcbox::expect {
namespace {

std::string stripped(std::string_view text) {
    std::string whole;
    AnsiFilter{}.strip(text, whole);
    // Byte by byte, the result is the same.
    std::string in_bytes;
    AnsiFilter filter;
    for (const char byte : text)
        filter.strip({&byte, 1}, in_bytes);
    CHECK(in_bytes == whole);
    return whole;
}

TEST_CASE("text without sequences stays as it is") {
    CHECK(stripped("login: \r\n\t\xc3\xa9") == "login: \r\n\t\xc3\xa9");
}

TEST_CASE("colours and cursor movements go") {
    CHECK(stripped("\x1b[1;31mred\x1b[0m \x1b[2J\x1b[?2004htop") == "red top");
}

TEST_CASE("a window's title goes, ended by BEL or by ESC and a backslash") {
    CHECK(stripped("\x1b]0;host: ~\a$ ") == "$ ");
    CHECK(stripped("\x1b]0;host: ~\x1b\\$ ") == "$ ");
}

TEST_CASE("character sets and two-byte sequences go") {
    CHECK(stripped("\x1b(Ba\x1b=b\x1bMc") == "abc");
}

TEST_CASE("a sequence that was broken off hides no text after it") {
    CHECK(stripped("\x1b[12\x18text") == "text");
    CHECK(stripped("\x1b[1\x1b[0mtext") == "text");
}

} // namespace
} // namespace ipcbox::expect
