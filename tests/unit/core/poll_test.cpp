#include "core/poll.h"

#include "core/child.h"
#include "core/io.h"
#include "core/pipe.h"
#include "harness/scenario.h"

#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <sys/syscall.h>

using namespace ipcbox;
using namespace std::chrono_literals;

TEST_CASE("a wait ends when the descriptor is ready, or at the deadline") {
    Pipe pipe = make_pipe();
    CHECK_FALSE(wait_for(pipe.reader.get(), POLLIN, Deadline::after(0s)));
    CHECK_FALSE(wait_for(pipe.reader.get(), POLLIN, Deadline::after(1ms)));
    CHECK(wait_for(pipe.writer.get(), POLLOUT, Deadline::never()));
    write_all(pipe.writer.get(), "x", "a pipe");
    CHECK(wait_for(pipe.reader.get(), POLLIN, Deadline::after(0s)));
    std::array entries{pollfd{pipe.reader.get(), POLLIN, 0}, pollfd{pipe.writer.get(), POLLOUT, 0},
                       pollfd{-1, POLLIN, 0}};
    CHECK(poll_until(entries, Deadline::never()) == 2);
    pipe.reader = Fd{};
    CHECK(wait_for(pipe.writer.get(), POLLIN, Deadline::never())); // an error counts as ready
}

namespace {
void nothing(int) {}
} // namespace

TEST_CASE("a signal that is caught does not end the wait") {
    Pipe pipe = make_pipe();
    Child child = fork_child([&] {
        struct sigaction action {};
        action.sa_handler = nothing;
        ::sigaction(SIGUSR1, &action, nullptr);
        return wait_for(pipe.reader.get(), POLLIN, Deadline::after(30s)) ? 0 : 1;
    });
    const auto waits = [&] { return test::is_blocked_in(child.pid(), SYS_ppoll); };
    CHECK(test::eventually(waits));
    child.kill(SIGUSR1);
    CHECK(test::eventually(waits));
    write_all(pipe.writer.get(), "x", "a pipe");
    CHECK(child.wait().as_exit_status() == 0);
}
