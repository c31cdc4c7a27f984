#include "core/pty.h"

#include "core/io.h"
#include "core/poll.h"

#include <array>
#include <doctest/doctest.h>
#include <span>
#include <string>

namespace ipcbox {
namespace {

std::string read_from(const Fd& fd) {
    std::array<std::byte, 100> bytes{};
    const auto count = read_some(fd.get(), bytes, "a terminal");
    return {reinterpret_cast<const char*>(bytes.data()), count};
}

TEST_CASE("a new terminal passes bytes both ways") {
    const auto pty = open_pty({}, Echo::off);
    write_all(pty.master.get(), std::string_view{"typed\n"}, "a terminal");
    CHECK(read_from(pty.terminal) == "typed\n");
    write_all(pty.terminal.get(), std::string_view{"shown\n"}, "a terminal");
    REQUIRE(wait_for(pty.master.get(), POLLIN, Deadline::after(std::chrono::seconds{10})));
    CHECK(read_from(pty.master) == "shown\r\n");
}

TEST_CASE("a new terminal shows what is typed if it is told to") {
    const auto pty = open_pty({}, Echo::on);
    write_all(pty.master.get(), std::string_view{"a"}, "a terminal");
    REQUIRE(wait_for(pty.master.get(), POLLIN, Deadline::after(std::chrono::seconds{10})));
    CHECK(read_from(pty.master) == "a");
}

TEST_CASE("a terminal has the size that it was given last") {
    const auto pty = open_pty({.rows = 30, .columns = 100}, Echo::off);
    CHECK(terminal_size(pty.terminal.get(), {}).rows == 30);
    CHECK(terminal_size(pty.terminal.get(), {}).columns == 100);
    set_terminal_size(pty.master.get(), {.rows = 5, .columns = 6});
    CHECK(terminal_size(pty.terminal.get(), {}).rows == 5);
    CHECK(terminal_size(pty.terminal.get(), {}).columns == 6);
}

TEST_CASE("what is no terminal has the usual size") {
    const auto file = open_file("/dev/null", 0);
    CHECK(terminal_size(file.get(), {.rows = 7, .columns = 8}).rows == 7);
}

TEST_CASE("a raw terminal has its settings back afterwards") {
    const auto pty = open_pty({}, Echo::on);
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
