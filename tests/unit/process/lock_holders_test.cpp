#include "process/lock_holders.h"

#include "core/file_lock.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <sys/sysmacros.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::process;

using Pids = std::vector<pid_t>;

TEST_CASE("the holders of a lock are the lines that have the file and do not wait") {
    const auto locks = "1: POSIX  ADVISORY  WRITE 1 fe:00:77 0 EOF\n"
                       "2: FLOCK  ADVISORY  WRITE 812 fe:00:77 0 EOF\n"
                       "2: -> FLOCK  ADVISORY  WRITE 813 fe:00:77 0 EOF\n"
                       "3: FLOCK  ADVISORY  READ  -1 fe:00:78 0 EOF\n"
                       "4: FLOCK  ADVISORY  READ  814 fe:00:78 0 EOF\n"
                       "5: FLOCK\n6:\n\n";
    CHECK(lock_holders_in(locks, makedev(0xfe, 0), 77) == Pids{812});
    CHECK(lock_holders_in(locks, makedev(0xfe, 0), 78) == Pids{0, 814});
    CHECK(lock_holders_in(locks, makedev(0xfe, 1), 77).empty());
    CHECK(lock_holders_in("", makedev(0xfe, 0), 77).empty());
}

TEST_CASE("we hold what we have locked") {
    test::Scenario scenario;
    const Fd file = open_lock_file("lock", LockKind::exclusive);
    CHECK(lock_holders(file.get()).empty());
    CHECK(lock_until(file.get(), LockKind::exclusive, Deadline::never(), "the file"));
    CHECK(lock_holders(file.get()) == Pids{::getpid()});
    CHECK(lock_holders(-1).empty());
}

TEST_CASE("our parent is an ancestor of ours, and we are not") {
    CHECK(is_ancestor(::getppid()));
    CHECK_FALSE(is_ancestor(::getpid()));
}
