#include "core/pty.h"

#include "core/io.h"

#include <doctest/doctest.h>
#include <span>
#include <string>

namespace ipcbox {
namespace {

// The next SIZE bytes. The kernel hands over a line in pieces: first its text, and then CR LF.
std::string read_from(const Fd& fd, std::size_t size) {
    std::string text(size, '\0');
    text.resize(read_exact(fd.get(), std::as_writable_bytes(std::span{text}), "a terminal",
                           Deadline::after(std::chrono::seconds{30})));
    return text;
}

TEST_CASE("a new terminal passes bytes both ways") {
    const auto pty = open_pty({});
    auto silent = *terminal_settings(pty.terminal.get());
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    set_terminal_settings(pty.terminal.get(), silent);
    write_all(pty.master.get(), std::string_view{"typed\n"}, "a terminal");
    CHECK(read_from(pty.terminal, 6) == "typed\n");
    write_all(pty.terminal.get(), std::string_view{"shown\n"}, "a terminal");
    CHECK(read_from(pty.master, 7) == "shown\r\n");
}

TEST_CASE("a new terminal shows what is typed") {
    const auto pty = open_pty({});
    write_all(pty.master.get(), std::string_view{"a"}, "a terminal");
    CHECK(read_from(pty.master, 1) == "a");
}

} // namespace
} // namespace ipcbox
