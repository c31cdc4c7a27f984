#include "core/io.h"

#include "core/child.h"
#include "core/error.h"
#include "core/pipe.h"
#include "core/signals.h"
#include "harness/scenario.h"

#include <array>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

using namespace ipcbox;
using namespace std::chrono_literals;

TEST_CASE("read_some makes one call, and read_exact reads everything") {
    Pipe pipe = make_pipe();
    write_all(pipe.writer.get(), "hello", "a pipe");
    std::array<std::byte, 10> buffer{};
    CHECK(read_some(pipe.reader.get(), std::span{buffer}.first(2), "a pipe") == 2);
    pipe.writer = Fd{};
    CHECK(read_exact(pipe.reader.get(), buffer, "a pipe") == 3); // all that there is
    CHECK(read_some(pipe.reader.get(), buffer, "a pipe") == 0);
}

TEST_CASE("all bytes pass a pipe that is smaller") {
    Pipe pipe = make_pipe();
    set_nonblocking(pipe.writer);
    const std::string text(1024UL * 1024, 'x');
    Child writer = fork_child([&] {
        write_all(pipe.writer.get(), text, "a pipe", Deadline::after(30s));
        return 0;
    });
    pipe.writer = Fd{};
    CHECK(read_to_end(pipe.reader.get(), text.size(), "a pipe") == text);
    CHECK(writer.wait().succeeded());
}

TEST_CASE("a file that is longer than the limit is an error") {
    const test::Scenario scenario;
    scenario.write_file("file", std::string(20000, 'x'));
    const auto read = [&](std::size_t limit) {
        return read_to_end(open_file("file", O_RDONLY).get(), limit, "file").size();
    };
    CHECK(read(20000) == 20000);
    CHECK(read(1000000) == 20000);
    CHECK_THROWS_WITH_AS((void)read(19999), "cannot read file: more than 19999 bytes", Error);
    CHECK_THROWS_AS((void)read(0), Error);
}

TEST_CASE("a call ends at its deadline") {
    Pipe pipe = make_pipe();
    std::array<std::byte, 10> buffer{};
    const auto read = [&](Duration duration) {
        (void)read_some(pipe.reader.get(), buffer, "a pipe", Deadline::after(duration));
    };
    CHECK_THROWS_WITH_AS(read(1ms), "timed out: reading a pipe", TimedOut);
    CHECK_THROWS_AS(read(0s), TimedOut);
    set_nonblocking(pipe.writer);
    const std::string text(1024UL * 1024, 'x');
    CHECK_THROWS_WITH_AS(write_all(pipe.writer.get(), text, "a pipe", Deadline::after(1ms)),
                         "timed out: writing a pipe", TimedOut);
}

TEST_CASE("errors name the object") {
    std::array<std::byte, 10> buffer{};
    CHECK_THROWS_WITH_AS((void)read_some(-1, buffer, "standard input"),
                         "cannot read standard input: Bad file descriptor", SysError);
    const Fd full = open_file("/dev/full", O_WRONLY);
    CHECK_THROWS_WITH_AS(write_all(full.get(), "x", "the report"),
                         "cannot write the report: No space left on device", SysError);
    Pipe pipe = make_pipe();
    pipe.reader = Fd{};
    const BlockedSignals blocked{signal_set({SIGPIPE})};
    CHECK_THROWS_AS(write_all(pipe.writer.get(), "x", "a pipe"), SysError);
    const timespec at_once{};
    const auto set = signal_set({SIGPIPE});
    ::sigtimedwait(&set, nullptr, &at_once);
}
