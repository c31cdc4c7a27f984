#include "core/pty.h"

#include "core/error.h"
#include "core/syscall.h"

#include <fcntl.h>
#include <sys/ioctl.h>

namespace ipcbox {

Pty open_pty(TerminalSize size) {
    Pty pty{open_file("/dev/ptmx", O_RDWR | O_NOCTTY), {}};
    const auto unlock = [](int fd, const int* lock) { return ::ioctl(fd, TIOCSPTLCK, lock); };
    const int unlocked = 0;
    const int* const lock = &unlocked;
    if (sys::call("ioctl", unlock, pty.master.get(), lock) < 0)
        throw SysError("unlock", "a new terminal");
    const auto open_peer = [](int fd, int flags) { return ::ioctl(fd, TIOCGPTPEER, flags); };
    const int terminal =
        sys::call("ioctl", open_peer, pty.master.get(), O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (terminal < 0) throw SysError("open", "a new terminal");
    pty.terminal = Fd::adopt(terminal);
    set_terminal_size(pty.master.get(), size);
    set_nonblocking(pty.master);
    return pty;
}

} // namespace ipcbox
