#include "core/pipe.h"

#include "core/error.h"
#include "core/syscall.h"

#include <fcntl.h>
#include <unistd.h>

namespace ipcbox {

Pipe make_pipe() {
    int ends[2];
    if (sys::call("pipe2", ::pipe2, static_cast<int*>(ends), O_CLOEXEC) < 0)
        throw SysError("make", "a pipe");
    // Own both ends before moving either one up, which can fail.
    const int writer = ends[1];
    Pipe pipe;
    try {
        pipe.reader = Fd::adopt(ends[0]);
    } catch (...) {
        ::close(writer);
        throw;
    }
    pipe.writer = Fd::adopt(writer);
    return pipe;
}

void widen_pipe(int fd) noexcept {
    constexpr int default_pipe_max_size = 1024 * 1024;
    const auto set_size = [](int pipe, int size) { return ::fcntl(pipe, F_SETPIPE_SZ, size); };
    sys::call("fcntl", set_size, fd, default_pipe_max_size);
}

} // namespace ipcbox
