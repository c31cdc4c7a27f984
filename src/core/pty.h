// Pseudo-terminals: pty(7), ioctl_tty(2).
#pragma once

#include "core/child.h"
#include "core/fd.h"

#include <optional>
#include <termios.h>

namespace ipcbox {

struct TerminalSize {
    unsigned short rows = 24;
    unsigned short columns = 80;
};

enum class Echo { off, on };

// Both ends. What is written to TERMINAL is read from MASTER; what is written to MASTER is what a
// person types.
struct Pty {
    Fd master; // non-blocking
    Fd terminal;
};

// A new one. It needs no name in /dev/pts. Throws SysError.
[[nodiscard]] Pty open_pty(TerminalSize size, Echo echo);

// The size of the terminal FD, or USUAL where it does not say; and the other way round, which tells
// the programs on it (WINCH). Both work on either end.
[[nodiscard]] TerminalSize terminal_size(int fd, TerminalSize usual) noexcept;
void set_terminal_size(int fd, TerminalSize size) noexcept;

// How the terminal FD is set; nothing where FD is no terminal.
[[nodiscard]] std::optional<termios> terminal_settings(int fd) noexcept;
void set_terminal_settings(int fd, const termios& settings) noexcept;

// While it lives, the terminal FD hands over every byte as it is typed, Ctrl-C too, and shows none;
// output is not changed either. Where FD is no terminal, nothing happens. A process of its own
// watches over us and puts the settings back when we are killed.
class RawTerminal {
  public:
    // Throws Error when there cannot be a guard (EAGAIN, ENOMEM).
    explicit RawTerminal(int fd);
    ~RawTerminal();
    RawTerminal(const RawTerminal&) = delete;
    RawTerminal& operator=(const RawTerminal&) = delete;

    // Before we stop, and when we go on.
    void put_back() const noexcept;
    void make_raw() const noexcept;

  private:
    int fd_;
    std::optional<termios> before_;
    Fd alive_; // the guard sees its end when we die
    Child guard_;
};

} // namespace ipcbox
