// Terminals: tty(4), ioctl_tty(2).
#pragma once

#include <cstddef>
#include <termios.h>

namespace ipcbox {

// The width of the terminal behind FD; 80 when it does not say.
[[nodiscard]] std::size_t terminal_columns(int fd) noexcept;
// Its height; 24 when it does not say.
[[nodiscard]] std::size_t terminal_rows(int fd) noexcept;

// While it lives, the terminal FD hands over each key at once and shows none; signals of the
// keyboard (Ctrl-C) stay. Where FD is no terminal, nothing happens.
class UnbufferedKeys {
  public:
    explicit UnbufferedKeys(int fd);
    ~UnbufferedKeys();
    UnbufferedKeys(const UnbufferedKeys&) = delete;
    UnbufferedKeys& operator=(const UnbufferedKeys&) = delete;

  private:
    int fd_;
    bool is_changed_ = false;
    termios before_{};
};

} // namespace ipcbox
