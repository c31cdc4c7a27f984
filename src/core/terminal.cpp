#include "core/terminal.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/signals.h"
#include "core/syscall.h"

#include <array>
#include <sys/ioctl.h>
#include <unistd.h>

namespace ipcbox {

namespace {

// Runs in a process of its own. Waits for the end of ALIVE, whose other end our parent has, and
// then restores the settings. Its own session protects it from the keyboard's signals, and from
// being stopped as a background job that changes the terminal. If a byte comes first, there is
// nothing to restore.
int guard(int fd, const termios& settings, const Fd& alive) {
    const BlockedSignals blocked{all_signals()};
    sys::call("setsid", ::setsid);
    std::array<std::byte, 1> byte{};
    if (read_some(alive.get(), byte, "a pipe") == 0) set_terminal_settings(fd, settings);
    return 0;
}

} // namespace

TerminalSize terminal_size(int fd, TerminalSize usual) noexcept {
    winsize size{};
    const auto ask = [](int terminal, winsize* into) {
        return ::ioctl(terminal, TIOCGWINSZ, into);
    };
    if (sys::call("ioctl", ask, fd, &size) < 0) return usual;
    return {size.ws_row == 0 ? usual.rows : size.ws_row,
            size.ws_col == 0 ? usual.columns : size.ws_col};
}

void set_terminal_size(int fd, TerminalSize size) noexcept {
    winsize window{};
    window.ws_row = size.rows;
    window.ws_col = size.columns;
    const winsize* const from = &window;
    const auto set = [](int terminal, const winsize* to) {
        return ::ioctl(terminal, TIOCSWINSZ, to);
    };
    sys::call("ioctl", set, fd, from);
}

std::optional<termios> terminal_settings(int fd) noexcept {
    termios settings{};
    if (sys::call("tcgetattr", ::tcgetattr, fd, &settings) < 0) return std::nullopt;
    return settings;
}

void set_terminal_settings(int fd, const termios& settings) noexcept {
    const termios* const from = &settings;
    sys::call("tcsetattr", ::tcsetattr, fd, TCSADRAIN, from);
}

bool is_canonical(int fd) noexcept {
    const auto settings = terminal_settings(fd);
    return settings && (settings->c_lflag & ICANON) != 0;
}

TerminalMode::TerminalMode(int fd, Change change)
    : fd_(fd), change_(change), before_(terminal_settings(fd)) {
    if (!before_) return;
    Pipe pipe = make_pipe();
    guard_ = fork_child([&] {
        pipe.writer = Fd{};
        return guard(fd_, *before_, pipe.reader);
    });
    alive_ = std::move(pipe.writer);
    apply();
}

TerminalMode::~TerminalMode() {
    if (!before_) return;
    put_back();
    const char done = 0;
    const char* const byte = &done;
    while (sys::call("write", ::write, alive_.get(), byte, std::size_t{1}) < 0 && errno == EINTR)
        ;
    alive_ = Fd{};
    try {
        guard_.wait();
    } catch (const SysError&) { // NOLINT(bugprone-empty-catch): the guard has ended anyway
    }
}

void TerminalMode::put_back() const noexcept {
    if (before_) set_terminal_settings(fd_, *before_);
}

void TerminalMode::apply() const noexcept {
    if (!before_) return;
    termios settings = *before_;
    change_(settings);
    set_terminal_settings(fd_, settings);
}

UnbufferedKeys::UnbufferedKeys(int fd)
    : TerminalMode(fd, [](termios& settings) {
          settings.c_lflag &= ~static_cast<tcflag_t>(ICANON | ECHO);
      }) {}

RawTerminal::RawTerminal(int fd)
    : TerminalMode(fd, [](termios& settings) { ::cfmakeraw(&settings); }) {}

} // namespace ipcbox
