// Terminals: tty(4), termios(3), ioctl_tty(2).
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

// The size of the terminal FD, and that of USUAL where it does not say; and the other way round,
// which tells the programs on it (WINCH). Both work on either end of a pseudo-terminal.
[[nodiscard]] TerminalSize terminal_size(int fd, TerminalSize usual = {}) noexcept;
void set_terminal_size(int fd, TerminalSize size) noexcept;

// How the terminal FD is set; nothing where FD is no terminal.
[[nodiscard]] std::optional<termios> terminal_settings(int fd) noexcept;
void set_terminal_settings(int fd, const termios& settings) noexcept;

// While it lives, the terminal FD has other settings. Where FD is no terminal, nothing happens. A
// process of its own watches over us, and puts the settings back when we are killed.
class TerminalMode {
  public:
    ~TerminalMode();
    TerminalMode(const TerminalMode&) = delete;
    TerminalMode& operator=(const TerminalMode&) = delete;

    // Before we stop, and when we go on.
    void put_back() const noexcept;
    void apply() const noexcept;

  protected:
    // CHANGE makes the new settings from the old ones. Throws Error when there cannot be a guard
    // (EAGAIN, ENOMEM).
    using Change = void (*)(termios&);
    TerminalMode(int fd, Change change);

  private:
    int fd_;
    Change change_;
    std::optional<termios> before_;
    Fd alive_; // the guard sees its end when we die
    Child guard_;
};

// The terminal hands over each key at once and shows none; signals of the keyboard (Ctrl-C) stay.
class UnbufferedKeys : public TerminalMode {
  public:
    explicit UnbufferedKeys(int fd);
};

// The terminal hands over every byte as it is typed, Ctrl-C too, and shows none; output is not
// changed either.
class RawTerminal : public TerminalMode {
  public:
    explicit RawTerminal(int fd);
};

} // namespace ipcbox
