#include "cluster/command_guard.h"

#include "core/io.h"
#include "core/socket_pair.h"

#include <doctest/doctest.h>
#include <span>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::cluster;

TEST_CASE("the guard hears a command that asks for leave, and closes its end when none can ask") {
    auto pair = make_socket_pair();
    CommandGuard guard{::getpid(), OnLost::kill, std::move(pair.ours), std::nullopt};
    CHECK_FALSE(guard.next_asking());
    CHECK(guard.leave_fd() != -1);
    const pid_t pid = 4711;
    write_all(pair.theirs.get(), std::as_bytes(std::span{&pid, 1}), "the guard");
    CHECK(guard.next_asking() == pid);
    CHECK_FALSE(guard.next_asking());
    // A descriptor at its end would always be readable, and wake the guard again and again.
    pair.theirs = Fd{};
    CHECK_FALSE(guard.next_asking());
    CHECK(guard.leave_fd() == -1);
    CHECK_FALSE(guard.next_asking());
}
