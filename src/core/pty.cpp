#include "core/pty.h"

#include "core/error.h"
#include "core/poll.h"
#include "core/syscall.h"

#include <fcntl.h>
#include <sys/ioctl.h>

namespace ipcbox {

namespace {

// Negative if that fails; errno says why.
int open_terminal(const Fd& master) {
    const auto open_peer = [](int fd, int flags) { return ::ioctl(fd, TIOCGPTPEER, flags); };
    return sys::call("ioctl", open_peer, master.get(), O_RDWR | O_NOCTTY | O_CLOEXEC);
}

} // namespace

Pty open_pty(TerminalSize size) {
    Pty pty{open_file("/dev/ptmx", O_RDWR | O_NOCTTY), {}};
    const auto unlock = [](int fd, const int* lock) { return ::ioctl(fd, TIOCSPTLCK, lock); };
    const int unlocked = 0;
    const int* const lock = &unlocked;
    if (sys::call("ioctl", unlock, pty.master.get(), lock) < 0)
        throw SysError("unlock", "a new terminal");
    const int terminal = open_terminal(pty.master);
    if (terminal < 0) throw SysError("open", "a new terminal");
    pty.terminal = Fd::adopt(terminal);
    set_terminal_size(pty.master.get(), size);
    set_nonblocking(pty.master);
    return pty;
}

bool terminal_has_no_input(const Fd& master) {
    const int terminal = open_terminal(master);
    return terminal >= 0 && !wait_for(Fd::adopt(terminal).get(), POLLIN, Deadline::after({}));
}

} // namespace ipcbox
