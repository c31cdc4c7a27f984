#include "core/terminal.h"

#include "core/pty.h"

#include <doctest/doctest.h>

namespace ipcbox {
namespace {

TEST_CASE("a terminal has the size that it was given last") {
    const auto pty = open_pty({.rows = 30, .columns = 100});
    CHECK(terminal_size(pty.terminal.get(), {}).rows == 30);
    CHECK(terminal_size(pty.terminal.get(), {}).columns == 100);
    set_terminal_size(pty.master.get(), {.rows = 5, .columns = 6});
    CHECK(terminal_size(pty.terminal.get(), {}).rows == 5);
    CHECK(terminal_size(pty.terminal.get(), {}).columns == 6);
}

TEST_CASE("a file that is not a terminal has the usual size") {
    const auto file = open_file("/dev/null", 0);
    CHECK(terminal_size(file.get(), {.rows = 7, .columns = 8}).rows == 7);
}

TEST_CASE("a raw terminal has its settings back afterwards") {
    const auto pty = open_pty({});
    termios before{};
    termios meanwhile{};
    termios after{};
    REQUIRE(::tcgetattr(pty.terminal.get(), &before) == 0);
    {
        const RawTerminal raw{pty.terminal.get()};
        REQUIRE(::tcgetattr(pty.terminal.get(), &meanwhile) == 0);
    }
    REQUIRE(::tcgetattr(pty.terminal.get(), &after) == 0);
    CHECK((meanwhile.c_lflag & static_cast<tcflag_t>(ICANON | ECHO | ISIG)) == 0);
    CHECK(after.c_lflag == before.c_lflag);
    CHECK(after.c_iflag == before.c_iflag);
}

} // namespace
} // namespace ipcbox
