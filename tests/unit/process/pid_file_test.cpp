#include "process/pid_file.h"

#include "core/child.h"
#include "core/error.h"
#include "core/file_lock.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::process;

namespace {

Deadline at_once() {
    return Deadline::after(Duration::zero());
}

} // namespace

TEST_CASE("a pid file means the process that wrote it") {
    const test::Scenario scenario;
    CHECK_FALSE(daemon_of("pid"));
    CHECK_FALSE(has_pid_file("pid"));
    PidFile file{"pid", at_once()};
    CHECK(has_pid_file("pid"));
    CHECK_FALSE(daemon_of("pid"));
    file.write_own();
    CHECK(scenario.read_file("pid") == fmt::format("{}\n", ::getpid()));
    const auto daemon = daemon_of("pid");
    REQUIRE(daemon);
    CHECK(daemon->identity.pid == ::getpid());
    CHECK(daemon->identity.start.has_value());
    file.remove();
    CHECK_FALSE(has_pid_file("pid"));
}

TEST_CASE("a shorter number takes the place of a longer one") {
    const test::Scenario scenario;
    scenario.write_file("pid", "1234567890123\nand more\n");
    PidFile{"pid", at_once()}.write_own();
    CHECK(scenario.read_file("pid") == fmt::format("{}\n", ::getpid()));
}

TEST_CASE("a file that another process removes meanwhile is not created again") {
    const test::Scenario scenario;
    PidFile file{"pid", at_once()};
    file.write_own();
    auto child = fork_child([pid = ::getpid()] {
        remove_pid_file("pid", pid, Deadline::after(std::chrono::seconds{30}));
        return 0;
    });
    REQUIRE(test::eventually([&] { return test::is_blocked_in(child.pid(), SYS_flock); }));
    file.remove();
    unlock(file.fd().get(), "pid"); // the child has the descriptor as well
    CHECK(child.wait().succeeded());
    CHECK_FALSE(has_pid_file("pid"));
}

TEST_CASE("one process at a time has the file") {
    const test::Scenario scenario;
    std::optional<PidFile> file{std::in_place, "pid", at_once()};
    CHECK_THROWS_AS((PidFile{"pid", at_once()}), TimedOut);
    file.reset();
    CHECK_NOTHROW((PidFile{"pid", at_once()}));
}

TEST_CASE("a process with the number and another start is not the daemon") {
    const test::Scenario scenario;
    PidFile{"pid", at_once()}.write_own();
    if (::setxattr("pid", "user.ipcbox.start", "1", 1, 0) != 0) return; // no attributes
    CHECK_FALSE(daemon_of("pid"));
}

TEST_CASE("a process with the number, the start and another unique number is not the daemon") {
    const test::Scenario scenario;
    PidFile{"pid", at_once()}.write_own();
    const auto daemon = daemon_of("pid");
    REQUIRE(daemon);
    if (!unique_number(daemon->handle)) return; // the kernel is older than 6.9
    const auto stamp = fmt::format("{} 1", *daemon->identity.start);
    if (::setxattr("pid", "user.ipcbox.start", stamp.data(), stamp.size(), 0) != 0) return;
    CHECK_FALSE(daemon_of("pid"));
}

TEST_CASE("without a start the age of the file counts") {
    const test::Scenario scenario;
    scenario.write_file("pid", fmt::format("{}\n", ::getpid()));
    CHECK(daemon_of("pid"));
    const timespec times[]{{1, 0}, {1, 0}};
    REQUIRE(::utimensat(AT_FDCWD, "pid", times, 0) == 0);
    CHECK_FALSE(daemon_of("pid"));
}

TEST_CASE("a zombie is not the daemon") {
    const test::Scenario scenario;
    Child child = fork_child([] { return 0; });
    scenario.write_file("pid", fmt::format("{}\n", child.pid()));
    CHECK(test::eventually([] { return !daemon_of("pid"); }));
    child.wait();
}

TEST_CASE("a file is removed by those that it means") {
    const test::Scenario scenario;
    remove_pid_file("pid", ::getpid(), at_once());
    CHECK_FALSE(has_pid_file("pid"));
    PidFile{"pid", at_once()}.write_own();
    remove_pid_file("pid", 1, at_once());
    CHECK(has_pid_file("pid"));
    remove_pid_file("pid", ::getpid(), at_once());
    CHECK_FALSE(has_pid_file("pid"));
}
