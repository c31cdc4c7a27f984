#include "core/terminal.h"

#include "core/syscall.h"

#include <sys/ioctl.h>

namespace ipcbox {

std::size_t terminal_columns(int fd) noexcept {
    constexpr std::size_t usual = 80;
    winsize size{};
    const auto ask = [](int terminal, winsize* into) {
        return ::ioctl(terminal, TIOCGWINSZ, into);
    };
    if (sys::call("ioctl", ask, fd, &size) < 0 || size.ws_col == 0) return usual;
    return size.ws_col;
}

} // namespace ipcbox
