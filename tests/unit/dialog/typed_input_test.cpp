#include "dialog/typed_input.h"

#include <algorithm>
#include <doctest/doctest.h>

using namespace ipcbox::dialog;

namespace {

TypedInput usual() {
    return TypedInput{settings_for_typed_input({})};
}

} // namespace

TEST_CASE("ordinary text is typed as it is") {
    auto input = usual();
    CHECK(input.next("one\ntwo") == "one\ntwo");
    CHECK(input.next("\xff\r\t\x03") == "\xff\r\t\x03");
}

TEST_CASE("bytes that the terminal would act on are quoted") {
    auto input = usual();
    CHECK(input.next("a\x04") == "a\x16\x04");
    CHECK(input.next("\x16") == "\x16\x16");
    CHECK(input.next({"\0", 1}) == std::string("\x16\0", 2));
}

TEST_CASE("the end of the input is one character, and two after a part of a line") {
    auto input = usual();
    CHECK(input.end() == "\x04");
    (void)input.next("part");
    CHECK(input.end() == "\x04\x04");
    (void)input.next("\n");
    CHECK(input.end() == "\x04");
}

TEST_CASE("a long line is handed over in pieces, no matter how it comes") {
    auto input = usual();
    std::string typed;
    for (int piece = 0; piece < 5; ++piece)
        typed += input.next(std::string(3000, 'x'));
    CHECK(std::ranges::count(typed, 'x') == 15'000);
    std::size_t line = 0;
    for (const char byte : typed) {
        line = byte == '\x04' ? 0 : line + 1;
        CHECK(line <= 4095);
    }
    CHECK(input.next("\n") == "\n");
    CHECK(input.end() == "\x04");
}
