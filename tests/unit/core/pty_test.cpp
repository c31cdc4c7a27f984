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
    const auto pty = open_pty({});
    auto silent = *terminal_settings(pty.terminal.get());
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    set_terminal_settings(pty.terminal.get(), silent);
    write_all(pty.master.get(), std::string_view{"typed\n"}, "a terminal");
    CHECK(read_from(pty.terminal) == "typed\n");
    write_all(pty.terminal.get(), std::string_view{"shown\n"}, "a terminal");
    REQUIRE(wait_for(pty.master.get(), POLLIN, Deadline::after(std::chrono::seconds{10})));
    CHECK(read_from(pty.master) == "shown\r\n");
}

TEST_CASE("a new terminal shows what is typed") {
    const auto pty = open_pty({});
    write_all(pty.master.get(), std::string_view{"a"}, "a terminal");
    REQUIRE(wait_for(pty.master.get(), POLLIN, Deadline::after(std::chrono::seconds{10})));
    CHECK(read_from(pty.master) == "a");
}

} // namespace
} // namespace ipcbox
