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

// The size of the terminal FD, or USUAL if the terminal does not say. Setting the size also tells
// the programs on the terminal (WINCH). Both functions work on either end of a pseudo-terminal.
[[nodiscard]] TerminalSize terminal_size(int fd, TerminalSize usual = {}) noexcept;
void set_terminal_size(int fd, TerminalSize size) noexcept;

// The settings of the terminal FD; nothing when FD is not a terminal.
[[nodiscard]] std::optional<termios> terminal_settings(int fd) noexcept;
void set_terminal_settings(int fd, const termios& settings) noexcept;
// Whether the terminal hands over whole lines (canonical mode); false when FD is not a terminal.
[[nodiscard]] bool is_canonical(int fd) noexcept;

// While it lives, the terminal FD has other settings. If FD is not a terminal, nothing happens. A
// guard process watches us, and restores the settings if we are killed.
class TerminalMode {
  public:
    ~TerminalMode();
    TerminalMode(const TerminalMode&) = delete;
    TerminalMode& operator=(const TerminalMode&) = delete;

    // To be called before we stop, and when we continue.
    void put_back() const noexcept;
    void apply() const noexcept;

  protected:
    // CHANGE turns the old settings into the new ones. Throws Error when the guard cannot be
    // started (EAGAIN, ENOMEM).
    using Change = void (*)(termios&);
    TerminalMode(int fd, Change change);

  private:
    int fd_;
    Change change_;
    std::optional<termios> before_;
    Fd alive_; // the guard sees its end when we die
    Child guard_;
};

// The terminal delivers each key at once and shows none; keys that send signals (Ctrl-C) still do.
class UnbufferedKeys : public TerminalMode {
  public:
    explicit UnbufferedKeys(int fd);
};

// The terminal delivers every byte as it is typed, even Ctrl-C, and shows none; it does not change
// output either.
class RawTerminal : public TerminalMode {
  public:
    explicit RawTerminal(int fd);
};

} // namespace ipcbox
