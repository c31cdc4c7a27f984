#include "core/fd.h"

#include "core/error.h"
#include "core/syscall.h"

#include <algorithm>
#include <fcntl.h>
#include <limits>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox {

namespace {

constexpr int first_number = STDERR_FILENO + 1;

int fcntl_value(int fd, int command, int value) {
    return ::fcntl(fd, command, value);
}

} // namespace

Fd::~Fd() {
    if (number_ >= 0) sys::call("close", ::close, number_);
}

Fd Fd::adopt(int number) {
    if (number >= first_number) return Fd{number};
    const Fd low{number};
    const int moved = sys::call("fcntl", fcntl_value, number, F_DUPFD_CLOEXEC, first_number);
    if (moved < 0) throw SysError("duplicate", "a descriptor");
    return Fd{moved};
}

void Fd::close(std::string_view object) {
    const int number = release();
    if (number >= 0 && sys::call("close", ::close, number) < 0 && errno != EINTR)
        throw SysError("close", object);
}

Fd open_file(const std::string& path, int flags, mode_t mode) {
    const auto open = [](const char* name, int open_flags, mode_t open_mode) {
        return ::openat(AT_FDCWD, name, open_flags, open_mode);
    };
    int number = -1;
    do
        number = sys::call("open", open, path.c_str(), flags | O_CLOEXEC, mode);
    while (number < 0 && errno == EINTR);
    if (number < 0) throw SysError("open", path);
    return Fd::adopt(number);
}

void let_go_of(int number, std::string_view object) {
    if (number >= first_number) return Fd::adopt(number).close(object);
    const Fd null = open_file("/dev/null", O_RDWR);
    if (sys::call("dup2", ::dup2, null.get(), number) < 0) throw SysError("close", object);
}

void close_descriptors_except(const Fd& kept) {
    close_descriptors_except(std::vector{kept.get()});
}

void close_descriptors_except(std::vector<int> kept) {
    const auto close = [](unsigned first, unsigned last) {
        // close_range(2) refuses an empty range with EINVAL.
        return first <= last ? ::close_range(first, last, 0) : 0;
    };
    std::ranges::sort(kept);
    unsigned first = first_number;
    for (const int number : kept) {
        const auto next = static_cast<unsigned>(number);
        if (number < first_number) continue;
        if (sys::call("close_range", close, first, next - 1) < 0)
            throw SysError("close", "descriptors");
        first = next + 1;
    }
    if (sys::call("close_range", close, first, std::numeric_limits<unsigned>::max()) < 0)
        throw SysError("close", "descriptors");
}

std::size_t raise_descriptor_limit(std::size_t wanted) {
    rlimit limit{};
    constexpr std::size_t fallback = 256; // getrlimit(2) does not fail in practice
    if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) return fallback;
    if (limit.rlim_cur >= wanted) return limit.rlim_cur;
    auto raised = limit;
    raised.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
    const bool is_raised = sys::call("setrlimit", ::setrlimit, RLIMIT_NOFILE,
                                     static_cast<const rlimit*>(&raised)) == 0;
    return is_raised ? raised.rlim_cur : limit.rlim_cur;
}

Fd duplicate(int fd, std::string_view object) {
    const auto duplicate_value = [](int number, int command, int lowest) {
        return ::fcntl(number, command, lowest);
    };
    const int copy = sys::call("fcntl", duplicate_value, fd, F_DUPFD_CLOEXEC, first_number);
    if (copy < 0) throw SysError("use", object);
    return Fd::adopt(copy);
}

mode_t file_kind(int fd) noexcept {
    struct stat status {};
    return sys::call("fstat", ::fstat, fd, &status) == 0 ? status.st_mode & S_IFMT : 0;
}

void set_nonblocking(const Fd& fd) {
    const int flags = sys::call("fcntl", fcntl_value, fd.get(), F_GETFL, 0);
    if (flags < 0 || sys::call("fcntl", fcntl_value, fd.get(), F_SETFL, flags | O_NONBLOCK) < 0)
        throw SysError("make", "a descriptor non-blocking");
}

void set_across_exec(const Fd& fd, AcrossExec fate) {
    const int flags = fate == AcrossExec::close ? FD_CLOEXEC : 0;
    if (sys::call("fcntl", fcntl_value, fd.get(), F_SETFD, flags) < 0)
        throw SysError("hand over", "a descriptor");
}

} // namespace ipcbox
