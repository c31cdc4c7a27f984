// pipe(2): two descriptors, close-on-exec.
#pragma once

#include "core/fd.h"

namespace ipcbox {

struct Pipe {
    Fd reader;
    Fd writer;
};

// Throws SysError "cannot make a pipe".
[[nodiscard]] Pipe make_pipe();

// Lets the pipe or FIFO behind FD hold as much as an unprivileged process may ask for
// (F_SETPIPE_SZ, /proc/sys/fs/pipe-max-size): fewer, larger transfers. Changes nothing when FD is
// not a pipe or the kernel refuses.
void widen_pipe(int fd) noexcept;

} // namespace ipcbox
