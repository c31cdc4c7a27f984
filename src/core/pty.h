// Pseudo-terminals: pty(7), ioctl_tty(2).
#pragma once

#include "core/fd.h"
#include "core/terminal.h"

namespace ipcbox {

// Both ends. Bytes that are written to TERMINAL can be read from MASTER; bytes that are written to
// MASTER are what a person types.
struct Pty {
    Fd master; // non-blocking
    Fd terminal;
};

// A new pseudo-terminal with the usual settings. It needs no name in /dev/pts. Throws SysError.
[[nodiscard]] Pty open_pty(TerminalSize size);

// Whether nothing waits to be read on the terminal of MASTER, not even the end of the input. False
// if the terminal cannot be opened to find that out.
[[nodiscard]] bool terminal_has_no_input(const Fd& master);

} // namespace ipcbox
