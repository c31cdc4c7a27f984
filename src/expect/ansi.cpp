#include "expect/ansi.h"

namespace ipcbox::expect {

namespace {

constexpr char escape = '\x1b';
constexpr char bell = '\a';

constexpr bool is_between(char byte, char first, char last) {
    return byte >= first && byte <= last;
}

} // namespace

void AnsiFilter::strip(std::string_view piece, std::string& into) {
    for (const char byte : piece) {
        // CAN and SUB end any sequence. ESC begins a new one.
        if (state_ != State::text && (byte == '\x18' || byte == '\x1a')) {
            state_ = State::text;
            continue;
        }
        if (byte == escape) {
            state_ = state_ == State::string ? State::string_escape : State::escape;
            continue;
        }
        switch (state_) {
        case State::text:
            into += byte;
            break;
        case State::escape:
            if (byte == '[')
                state_ = State::control;
            else if (byte == ']' || byte == 'P' || byte == 'X' || byte == '^' || byte == '_')
                state_ = State::string;
            else
                state_ = is_between(byte, ' ', '/') ? State::intermediate : State::text;
            break;
        case State::intermediate:
            if (!is_between(byte, ' ', '/')) state_ = State::text;
            break;
        case State::control:
            if (is_between(byte, '@', '~')) state_ = State::text;
            // Control characters inside a sequence work as they do outside.
            else if (byte == '\r' || byte == '\n')
                into += byte;
            break;
        case State::string:
            if (byte == bell) state_ = State::text;
            break;
        case State::string_escape: // a backslash, or any other byte, ends it
            state_ = State::text;
            break;
        }
    }
}

} // namespace ipcbox::expect
