#include "core/child.h"
#include "tls/sandbox.h"

#include <cerrno>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <functional>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace ipcbox;

namespace {

// Whether ACTION returns true in a child that is in the sandbox.
bool holds_inside(const std::function<bool()>& action) {
    return fork_child([&] {
               tls::enter_sandbox();
               return action() ? 0 : 1;
           })
        .wait()
        .succeeded();
}

[[maybe_unused]] bool is_refused(long result) {
    return result < 0 && errno == EPERM;
}

} // namespace

#ifndef IPCBOX_ADDRESS_SANITIZER

TEST_CASE("system calls that ipcbox-tls does not need are refused") {
    CHECK(holds_inside([] { return is_refused(::socket(AF_INET, SOCK_STREAM, 0)); }));
    CHECK(holds_inside([] { return is_refused(::socket(AF_UNIX, SOCK_DGRAM, 0)); }));
    CHECK(holds_inside([] { return is_refused(::fork()); }));
    CHECK(holds_inside([] { return is_refused(::execl("/bin/true", "true", nullptr)); }));
    CHECK(holds_inside([] { return is_refused(::kill(::getppid(), 0)); }));
    CHECK(holds_inside(
        [] { return is_refused(::open("/tmp/ipcbox-test", O_WRONLY | O_CREAT, 0600)); }));
    CHECK(holds_inside([] { return is_refused(::open("/dev/null", O_RDWR)); }));
    CHECK(holds_inside([] { return is_refused(::unlink("/tmp/ipcbox-test")); }));
    CHECK(holds_inside([] {
        return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                   MAP_FAILED &&
               errno == EPERM;
    }));
}

TEST_CASE("after the handshake no file is opened") {
    CHECK(holds_inside([] { return ::open("/etc/passwd", O_RDONLY) >= 0; }));
    CHECK(holds_inside([] {
        tls::forbid_opening();
        return is_refused(::open("/etc/passwd", O_RDONLY));
    }));
}

#endif

TEST_CASE("descriptors of others are closed") {
    const Fd other = open_file("/dev/null", O_RDONLY);
    CHECK(holds_inside([&] { return ::lseek(other.get(), 0, SEEK_CUR) < 0 && errno == EBADF; }));
}
