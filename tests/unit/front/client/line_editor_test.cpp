#include "front/client/line_editor.h"

#include <doctest/doctest.h>

using namespace ipcbox::front;
using Event = LineEditor::Event;
using Memory = LineEditor::Memory;

namespace {

std::string typed(LineEditor& editor, std::string_view keys) {
    (void)editor.feed(keys);
    return editor.text();
}

std::string typed(std::string_view keys) {
    LineEditor editor{{}, '\x1d'};
    return typed(editor, keys);
}

} // namespace

TEST_CASE("keys edit the line as a shell has it") {
    CHECK(typed("hello") == "hello");
    CHECK(typed("hello\x01X") == "Xhello");
    CHECK(typed("ab\x02X") == "aXb");
    CHECK(typed("ab\x7f") == "a");
    CHECK(typed("one two\x17") == "one ");
    CHECK(typed("one two\x15") == "");
    CHECK(typed("one two\x17\x01\x19") == "twoone ");
    CHECK(typed("abc\x01\x0b") == "");
    CHECK(typed("abc\x01\x04") == "bc");
    CHECK(typed("abc\x1b[DX") == "abXc");
    CHECK(typed("abc\x1b[H\x1b[3~") == "bc");
    CHECK(typed("abc\x1b[H\x1b[FX") == "abcX");
    CHECK(typed("one two\x1b"
                "bX") == "one Xtwo");
    CHECK(typed("one two\x1b[1;5DX") == "one Xtwo");
    CHECK(typed("a\x1b[200~b") == "ab");
    CHECK(typed("a\x02\x02\x02X") == "Xa");
    CHECK(typed("\x7f\x0b\x06\x17X") == "X");
}

TEST_CASE("a character of several bytes is one key") {
    CHECK(typed("a\xc3\xa9\x7f") == "a");
    CHECK(typed("\xc3\xa9\x02X") == "X\xc3\xa9");
    CHECK(typed("\xc3\xa9z\x01\x04") == "z");
    CHECK(typed("\x80\x80\x80\x80\x80\x80\x80\x7f\x02\x02") != "never");
}

TEST_CASE("events tell where they are, and leave the rest of the keys") {
    LineEditor editor{{}, '\x1d'};
    std::string_view keys = "one\ntwo\x1dq";
    CHECK(editor.feed(keys) == Event::line);
    CHECK(editor.take_line(Memory::remember) == "one");
    CHECK(editor.feed(keys) == Event::escape);
    CHECK(editor.text() == "two");
    CHECK(keys == "q");
    keys = "\x15\x04";
    CHECK(editor.feed(keys) == Event::end);
}

TEST_CASE("without an escape character no key calls the menu") {
    LineEditor editor{{}, '\0'};
    std::string_view keys{"\0\x1d", 2};
    CHECK(editor.feed(keys) == Event::none);
}

TEST_CASE("Up and Down walk through the history, and the new line is kept") {
    LineEditor editor{{"first", "second"}, '\0'};
    CHECK(typed(editor, "new\x1b[A") == "second");
    CHECK(typed(editor, "\x10\x10\x10") == "first");
    CHECK(typed(editor, "\x1b[B") == "second");
    CHECK(typed(editor, "\x0e") == "new");
    CHECK(typed(editor, "\x0e") == "new");
    CHECK(editor.take_line(Memory::remember) == "new");
    CHECK(typed(editor, "\x10") == "new");
    CHECK(editor.take_line(Memory::remember) == "new");
    CHECK(typed(editor, "\x10\x10") == "second"); // a repeated line is kept once
    CHECK(editor.take_line(Memory::forget) == "second");
}

TEST_CASE("a line stays in its row, with the cursor at its place") {
    LineEditor editor{{}, '\0'};
    editor.set_columns(20);
    editor.set_prompt("> ");
    CHECK(typed(editor, "abc\x02") == "abc");
    CHECK(editor.draw() == "\r> abc\x1b[K\r\x1b[4C");
    (void)typed(editor, "\x15\x0b");
    (void)typed(editor, "0123456789012345678901234567890");
    CHECK(editor.draw() == "\r> 45678901234567890\x1b[K\r\x1b[19C");
    (void)typed(editor, "\x01");
    CHECK(editor.draw() == "\r> 01234567890123456\x1b[K\r\x1b[2C");
    editor.set_prompt("a prompt that is longer than the row");
    CHECK(editor.draw() == "\rn the row0123456789\x1b[K\r\x1b[9C");
}

TEST_CASE("a line has a limit") {
    const std::string keys(LineEditor::max_bytes + 100, 'x');
    CHECK(typed(keys).size() == LineEditor::max_bytes);
}
