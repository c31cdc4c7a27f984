#include "core/terminal.h"

#include "core/syscall.h"

#include <sys/ioctl.h>

namespace ipcbox {

namespace {

winsize size_of(int fd) noexcept {
    winsize size{};
    const auto ask = [](int terminal, winsize* into) {
        return ::ioctl(terminal, TIOCGWINSZ, into);
    };
    if (sys::call("ioctl", ask, fd, &size) < 0) return {};
    return size;
}

} // namespace

std::size_t terminal_columns(int fd) noexcept {
    constexpr std::size_t usual = 80;
    const auto size = size_of(fd);
    return size.ws_col == 0 ? usual : size.ws_col;
}

std::size_t terminal_rows(int fd) noexcept {
    constexpr std::size_t usual = 24;
    const auto size = size_of(fd);
    return size.ws_row == 0 ? usual : size.ws_row;
}

UnbufferedKeys::UnbufferedKeys(int fd) : fd_(fd) {
    if (sys::call("tcgetattr", ::tcgetattr, fd, &before_) < 0) return;
    termios now = before_;
    now.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
    is_changed_ = sys::call("tcsetattr", ::tcsetattr, fd, TCSADRAIN, &now) == 0;
}

UnbufferedKeys::~UnbufferedKeys() {
    if (is_changed_) sys::call("tcsetattr", ::tcsetattr, fd_, TCSADRAIN, &before_);
}

} // namespace ipcbox
