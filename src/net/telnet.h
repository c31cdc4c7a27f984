// The telnet protocol for a client that wants plain text: RFC 854, RFC 855. The filter refuses
// every option that the server asks for, once, so that the connection stays a plain terminal (NVT).
// It removes everything that is not text.
//
//     TelnetFilter telnet;
//     print(telnet.next(chunk));   // text only
//     send(telnet.take_replies()); // WONT and DONT
#pragma once

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ipcbox::net {

class TelnetFilter {
  public:
    // The text in PIECE, which the server sent. A command may begin in one piece and end in
    // another.
    [[nodiscard]] std::string next(std::string_view piece);
    // The answers that the server has not got yet. They have at most 3 bytes for each option and
    // verb. A server that asks again gets no second answer, so it cannot make us talk forever.
    [[nodiscard]] std::string take_replies();

    // TEXT in the form to send: each byte 255 is doubled.
    [[nodiscard]] static std::string escaped(std::string_view text);
    // IAC BREAK
    static constexpr std::string_view break_command{"\xff\xf3"};

  private:
    enum class State { text, command, option, parameters, command_in_parameters };
    void refuse(unsigned char option);

    State state_ = State::text;
    unsigned char verb_ = 0;
    std::bitset<256> refused_will_;
    std::bitset<256> refused_do_;
    std::string replies_;
};

} // namespace ipcbox::net
