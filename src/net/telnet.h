// The telnet protocol as far as a client needs it that wants none of it: RFC 854, RFC 855. Every
// option that the server asks for is refused, once, so that the connection stays a plain terminal
// (NVT); what is not text is taken out.
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
    // The text in what the server sent. A command may begin in one piece and end in another.
    [[nodiscard]] std::string next(std::string_view piece);
    // What the server has to be told, and was not yet. At most 3 bytes for each option and verb:
    // a server that asks again gets no second answer, so it cannot make us talk without end.
    [[nodiscard]] std::string take_replies();

    // TEXT as it has to be sent: a byte 255 is doubled.
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
