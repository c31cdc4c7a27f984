#include "dialog/typed_input.h"

#include <initializer_list>
#include <unistd.h>
#include <utility>

namespace ipcbox::dialog {

namespace {

constexpr cc_t end_of_input = 4; // Ctrl-D
constexpr cc_t quote = 22;       // Ctrl-V

} // namespace

termios settings_for_typed_input(termios settings) {
    settings.c_iflag &=
        ~static_cast<tcflag_t>(ICRNL | INLCR | IGNCR | ISTRIP | IXON | IXANY | IXOFF | PARMRK);
    settings.c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL | ISIG);
    settings.c_lflag |= static_cast<tcflag_t>(ICANON | IEXTEN);
    for (const int character : {VERASE, VKILL, VEOL, VEOL2, VWERASE, VREPRINT, VDISCARD})
        settings.c_cc[character] = _POSIX_VDISABLE;
    settings.c_cc[VEOF] = end_of_input;
    settings.c_cc[VLNEXT] = quote;
    return settings;
}

TypedInput::TypedInput(const termios& settings)
    : end_(static_cast<char>(settings.c_cc[VEOF])),
      quote_(static_cast<char>(settings.c_cc[VLNEXT])) {}

std::string TypedInput::next(std::string_view text) {
    std::string typed;
    typed.reserve(text.size() + text.size() / max_typed_line + 1);
    for (const char byte : text) {
        // A disabled character has the value of a zero byte, so quote a zero byte too.
        if (byte == end_ || byte == quote_ || byte == _POSIX_VDISABLE) typed += quote_;
        typed += byte;
        if (byte == '\n') {
            line_ = 0;
        } else if (++line_ == max_typed_line) {
            typed += end_;
            line_ = 0;
        }
    }
    return typed;
}

std::string TypedInput::end() {
    return std::string(std::exchange(line_, 0) > 0 ? 2 : 1, end_);
}

} // namespace ipcbox::dialog
