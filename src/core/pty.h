// Pseudo-terminals: pty(7), ioctl_tty(2).
#pragma once

#include "core/fd.h"
#include "core/terminal.h"

namespace ipcbox {

// Both ends. What is written to TERMINAL is read from MASTER; what is written to MASTER is what a
// person types.
struct Pty {
    Fd master; // non-blocking
    Fd terminal;
};

// A new one, with the usual settings. It needs no name in /dev/pts. Throws SysError.
[[nodiscard]] Pty open_pty(TerminalSize size);

} // namespace ipcbox
