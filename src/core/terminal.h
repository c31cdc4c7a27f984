// Terminals: tty(4), ioctl_tty(2).
#pragma once

#include <cstddef>

namespace ipcbox {

// The width of the terminal behind FD; 80 when it does not say.
[[nodiscard]] std::size_t terminal_columns(int fd) noexcept;

} // namespace ipcbox
