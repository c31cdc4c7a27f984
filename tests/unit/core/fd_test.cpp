#include "core/fd.h"

#include "core/child.h"
#include "core/error.h"
#include "core/pidfd.h"
#include "core/pipe.h"
#include "harness/scenario.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

using namespace ipcbox;

namespace {

bool is_open(int fd) {
    return ::fcntl(fd, F_GETFD) >= 0;
}

bool is_close_on_exec(const Fd& fd) {
    return (::fcntl(fd.get(), F_GETFD) & FD_CLOEXEC) != 0;
}

} // namespace

TEST_CASE("a descriptor has one owner") {
    Fd none;
    CHECK_FALSE(none);
    Fd file = open_file("/dev/null", O_RDONLY);
    CHECK(is_close_on_exec(file));
    const int number = file.get();
    Fd moved = std::move(file);
    CHECK_FALSE(file); // NOLINT(bugprone-use-after-move): that is the question
    CHECK(moved.get() == number);
    moved = Fd{};
    CHECK_FALSE(is_open(number));

    Fd given_up = open_file("/dev/null", O_RDONLY);
    const int released = given_up.release();
    CHECK_FALSE(given_up);
    CHECK(is_open(released));
    ::close(released);
}

TEST_CASE("0, 1 and 2 are never handed out, even if they are closed") {
    Child child = fork_child([] {
        for (int standard = 0; standard < 3; ++standard)
            ::close(standard);
        const Fd file = open_file("/dev/null", O_RDONLY);
        const Pipe pipe = make_pipe();
        const Child ended = fork_child([] { return 0; });
        const auto process = open_process(ended.pid());
        const bool right = file.get() > 2 && pipe.reader.get() > 2 && pipe.writer.get() > 2 &&
                           ended.pidfd() > 2 && process->get() > 2 && is_close_on_exec(file) &&
                           is_close_on_exec(pipe.reader) && is_close_on_exec(pipe.writer) &&
                           is_close_on_exec(*process);
        // They are still closed.
        return right && !is_open(0) && !is_open(1) && !is_open(2) ? 0 : 1;
    });
    CHECK(child.wait().as_exit_status() == 0);
}

TEST_CASE("every other descriptor is closed") {
    Child child = fork_child([] {
        const int inherited = ::dup(0);
        const Fd first = open_file("/dev/null", O_RDONLY);
        const Fd kept = open_file("/dev/null", O_RDONLY);
        const int high = ::fcntl(0, F_DUPFD, 200);
        close_descriptors_except(kept);
        return is_open(0) && is_open(kept.get()) && !is_open(inherited) && !is_open(first.get()) &&
                       !is_open(high)
                   ? 0
                   : 1;
    });
    CHECK(child.wait().as_exit_status() == 0);
    // 3 is the lowest number that can be kept.
    Child lowest = fork_child([] {
        const int high = ::fcntl(0, F_DUPFD, 200);
        ::dup2(0, 3);
        const Fd kept = Fd::adopt(3);
        close_descriptors_except(kept);
        return is_open(3) && !is_open(high) ? 0 : 1;
    });
    CHECK(lowest.wait().as_exit_status() == 0);
}

TEST_CASE("an explicit close reports the error") {
    Fd file = open_file("/dev/null", O_RDONLY);
    const int number = file.get();
    file.close("the file");
    CHECK_FALSE(file);
    CHECK_FALSE(is_open(number));
    file.close("the file"); // does nothing: it is closed already

    Fd gone = open_file("/dev/null", O_RDONLY);
    ::close(gone.get());
    CHECK_THROWS_WITH_AS(gone.close("the file"), "cannot close the file: Bad file descriptor",
                         SysError);
}

TEST_CASE("a file that cannot be opened is named") {
    CHECK_THROWS_WITH_AS((void)open_file("/dev/null/x", O_RDONLY),
                         "cannot open /dev/null/x: Not a directory", SysError);
    Fd file = open_file("/dev/null", O_RDONLY);
    CHECK((::fcntl(file.get(), F_GETFL) & O_NONBLOCK) == 0);
    set_nonblocking(file);
    CHECK((::fcntl(file.get(), F_GETFL) & O_NONBLOCK) != 0);
}

TEST_CASE("a descriptor can be handed over to the program that we become") {
    const Fd file = open_file("/dev/null", O_RDONLY);
    set_across_exec(file, AcrossExec::keep);
    CHECK_FALSE(is_close_on_exec(file));
    set_across_exec(file, AcrossExec::close);
    CHECK(is_close_on_exec(file));
    CHECK_THROWS_AS(set_across_exec(Fd{}, AcrossExec::keep), SysError);
}
