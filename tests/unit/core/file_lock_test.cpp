#include "core/file_lock.h"

#include "core/child.h"
#include "core/error.h"
#include "harness/scenario.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

using namespace ipcbox;
using namespace std::chrono_literals;

namespace {

bool try_lock(const Fd& fd, LockKind kind) {
    return lock_until(fd.get(), kind, Deadline::after(0ns), "the file");
}

} // namespace

TEST_CASE("an exclusive lock excludes others, and a shared one does not") {
    test::Scenario scenario;
    const Fd one = open_lock_file("lock", LockKind::exclusive);
    const Fd other = open_lock_file("lock", LockKind::exclusive);
    CHECK(try_lock(one, LockKind::exclusive));
    CHECK(try_lock(one, LockKind::exclusive));
    CHECK_FALSE(try_lock(other, LockKind::shared));
    CHECK(try_lock(one, LockKind::shared));
    CHECK(try_lock(other, LockKind::shared));
    CHECK_FALSE(try_lock(other, LockKind::exclusive));
    unlock(one.get(), "the file");
    CHECK(try_lock(other, LockKind::exclusive));
}

TEST_CASE("a wait ends at its deadline, and SIGALRM is as it was") {
    test::Scenario scenario;
    struct sigaction ignore {};
    ignore.sa_handler = SIG_IGN;
    struct sigaction before {};
    ::sigaction(SIGALRM, &ignore, &before);
    const Fd one = open_lock_file("lock", LockKind::exclusive);
    const Fd other = open_lock_file("lock", LockKind::exclusive);
    REQUIRE(try_lock(one, LockKind::exclusive));
    const auto start = Deadline::Clock::now();
    CHECK_FALSE(lock_until(other.get(), LockKind::exclusive, Deadline::after(30ms), "the file"));
    CHECK(Deadline::Clock::now() - start >= 30ms);
    struct sigaction after {};
    ::sigaction(SIGALRM, &before, &after);
    CHECK((after.sa_handler == SIG_IGN));
}

TEST_CASE("directories can be locked, and files that only may be read") {
    test::Scenario scenario;
    std::filesystem::create_directory("directory");
    CHECK(try_lock(open_lock_file("directory", LockKind::exclusive), LockKind::exclusive));
    CHECK(try_lock(open_lock_file("/etc/passwd", LockKind::shared), LockKind::shared));
    CHECK_THROWS_AS((void)open_lock_file("none/lock", LockKind::shared), SysError);
}

TEST_CASE("a lock of the process tells whose it is, and a child has to ask like anybody else") {
    test::Scenario scenario;
    const Fd file = open_file("lock", O_RDWR | O_CREAT, 0600);
    CHECK_FALSE(lock_holder(file).has_value());
    CHECK(try_to_lock_for_process(file, "the file"));
    Child child = fork_child([&] {
        return !try_to_lock_for_process(file, "the file") && lock_holder(file) == ::getppid() ? 0
                                                                                              : 1;
    });
    CHECK(child.wait().succeeded());
}

TEST_CASE("a locked file that was unlinked or replaced has lost its name") {
    test::Scenario scenario;
    const Fd file = open_file("lock", O_RDWR | O_CREAT, 0600);
    CHECK(has_name(file, AT_FDCWD, "lock", "the file"));
    const Fd directory = open_file(".", O_PATH | O_DIRECTORY);
    CHECK(has_name(file, directory.get(), "lock", "the file"));
    std::filesystem::remove("lock");
    CHECK_FALSE(has_name(file, AT_FDCWD, "lock", "the file"));
    const Fd other = open_file("lock", O_RDWR | O_CREAT, 0600);
    CHECK_FALSE(has_name(file, AT_FDCWD, "lock", "the file"));
    CHECK(has_name(other, AT_FDCWD, "lock", "the file"));
    std::filesystem::rename("lock", "target");
    std::filesystem::create_symlink("target", "lock");
    CHECK_FALSE(has_name(other, AT_FDCWD, "lock", "the file"));
}
