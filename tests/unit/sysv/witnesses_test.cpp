#include "sysv/witnesses.h"

#include "core/child.h"
#include "harness/scenario.h"
#include "sysv/shared_memory.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;
using sysv::Kind;
using sysv::Presence;

TEST_CASE("the object of a wait stands in /proc/PID/syscall") {
    const auto line = [](long call) {
        return fmt::format("{} 0x2a 0x7ffd0 0x1 0x0 0x0 0x0", call);
    };
    CHECK(sysv::waited_for(line(SYS_semtimedop)) == std::pair{Kind::semaphores, 42});
    CHECK(sysv::waited_for(line(SYS_msgrcv)) == std::pair{Kind::messages, 42});
    CHECK(sysv::waited_for(line(SYS_msgsnd)) == std::pair{Kind::messages, 42});
    CHECK_FALSE(sysv::waited_for(line(SYS_read)));
    for (const char* text : {"running", "-1 0x7ffd 0x0", "", "x y"})
        CHECK_FALSE(sysv::waited_for(text));
}

TEST_CASE("the segments of a process stand in its maps, each as often as it is attached") {
    const auto ids = sysv::attached_in(
        "7f0c4e000000-7f0c4e001000 rw-s 00000000 00:01 32774      /SYSV000004d2 (deleted)\n"
        "7f0c4e010000-7f0c4e011000 r--s 00000000 00:01 32774      /SYSV000004d2 (deleted)\n"
        "7f0c4e020000-7f0c4e021000 r-xp 00000000 fe:00 99         /usr/bin/SYSV\n"
        "7f0c4e030000-7f0c4e031000 rw-s 00000000 00:01 0          /SYSV00000000 (deleted)\n");
    CHECK(ids == std::map<int, std::uint64_t>{{0, 1}, {32774, 2}});
    CHECK(sysv::attached_in("").empty());
}

TEST_CASE("a process that has a segment attached is found") {
    const auto memory = sysv::SharedMemory::create_private(4096, 0600);
    const auto attached = memory.attach(sysv::SharedMemory::Access::read);
    memory.remove();
    const auto sight = sysv::find_attachers();
    const auto found =
        std::ranges::find_if(sight.users, [&](const auto& user) { return user.id == memory.id(); });
    REQUIRE(found != sight.users.end());
    CHECK(found->pid == ::getpid());
    CHECK(found->times == 1);
}

TEST_CASE("a process is alive, gone, or of an unknown namespace") {
    const auto now = std::time(nullptr);
    CHECK(sysv::presence_of(::getpid(), now) == Presence::alive);
    CHECK(sysv::presence_of(0, now) == Presence::unknown);
    // An action from long before this process began was that of another process with the same
    // number.
    CHECK(sysv::presence_of(::getpid(), 1000) == Presence::gone);
    Child child = fork_child([] { return 0; });
    const pid_t pid = child.pid();
    (void)child.wait();
    CHECK(sysv::presence_of(pid, now) == Presence::gone);
}
