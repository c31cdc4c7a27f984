#include "net/telnet.h"

#include <utility>

namespace ipcbox::net {

namespace {

// RFC 854, "TELNET COMMAND STRUCTURE".
constexpr unsigned char end_of_parameters = 240; // SE
constexpr unsigned char parameters_follow = 250; // SB
constexpr unsigned char will = 251;
constexpr unsigned char wont = 252;
constexpr unsigned char do_it = 253;
constexpr unsigned char dont = 254;
constexpr unsigned char interpret = 255; // IAC

} // namespace

void TelnetFilter::refuse(unsigned char option) {
    // WONT and DONT only confirm the present state. RFC 854 forbids an answer.
    if (verb_ != will && verb_ != do_it) return;
    auto& refused = verb_ == will ? refused_will_ : refused_do_;
    if (refused.test(option)) return;
    refused.set(option);
    for (const unsigned char byte : {interpret, verb_ == will ? dont : wont, option})
        replies_.push_back(static_cast<char>(byte));
}

std::string TelnetFilter::next(std::string_view piece) {
    std::string text;
    text.reserve(piece.size());
    for (const char character : piece) {
        const auto byte = static_cast<unsigned char>(character);
        switch (state_) {
        case State::text:
            if (byte == interpret)
                state_ = State::command;
            else
                text.push_back(character);
            break;
        case State::command:
            verb_ = byte;
            state_ = byte == parameters_follow      ? State::parameters
                     : byte >= will && byte <= dont ? State::option
                                                    : State::text;
            if (byte == interpret) text.push_back(character);
            break;
        case State::option:
            refuse(byte);
            state_ = State::text;
            break;
        case State::parameters:
            if (byte == interpret) state_ = State::command_in_parameters;
            break;
        case State::command_in_parameters:
            state_ = byte == end_of_parameters ? State::text : State::parameters;
            break;
        }
    }
    return text;
}

std::string TelnetFilter::take_replies() {
    return std::exchange(replies_, {});
}

std::string TelnetFilter::escaped(std::string_view text) {
    std::string sent;
    sent.reserve(text.size());
    for (const char character : text) {
        sent.push_back(character);
        if (static_cast<unsigned char>(character) == interpret) sent.push_back(character);
    }
    return sent;
}

} // namespace ipcbox::net
