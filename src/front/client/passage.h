// Transforms the bytes of a conversation. On the way to the server, it handles line ends and
// telnet; on the way to the person, telnet, control characters and the hexadecimal form. It logs
// both directions.
#pragma once

#include "cli/output.h"
#include "core/fd.h"
#include "net/relay.h"
#include "net/telnet.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::front {

struct PassageOptions {
    bool crlf = false;    // a line feed goes as CR LF
    bool telnet = false;  // refuse the server's options
    bool hex = false;     // show the answer as a hexadecimal dump
    bool visible = false; // control characters of the answer in a form that moves no cursor
    std::optional<std::string> log = {};
};

class Passage {
  public:
    // Appends to the log. Throws SysError when it cannot be opened.
    explicit Passage(PassageOptions options);
    ~Passage();
    Passage(const Passage&) = delete;
    Passage& operator=(const Passage&) = delete;

    // Whether all bytes stay unchanged and unlogged, so that they need not pass through here.
    [[nodiscard]] bool changes_nothing() const;

    // Both are a net::RelayOptions::filter for their flow: an empty chunk is its end. The result is
    // valid until the next call of the same function. Throw SysError when the log cannot be
    // written.
    [[nodiscard]] std::string_view request(std::string_view chunk);
    [[nodiscard]] std::string_view answer(std::string_view chunk);

    // The telnet replies to send to the server now.
    [[nodiscard]] std::string take_replies() { return telnet_.take_replies(); }

    [[nodiscard]] bool speaks_telnet() const { return options_.telnet; }

    // Opens FILE as the log from now on. Throws SysError.
    void log_to(const std::string& file);

  private:
    void log(char direction, std::string_view bytes);
    void end_log_line();
    void write_log(std::string_view bytes);

    PassageOptions options_;
    net::TelnetFilter telnet_;
    cli::VisibleText visible_;
    Fd log_;
    char logged_ = '\0';    // the direction of log_line_
    std::string log_begin_; // of its time
    std::string log_line_;  // a line that has not ended
    char last_sent_ = '\0';
    std::uint64_t dumped_ = 0; // bytes of the answer in the dump
    std::string request_;
    std::string answer_;
};

// Sixteen bytes a line: "00000000  48 65 …  |He…|"; the first has the number FROM.
[[nodiscard]] std::string hex_dump(std::string_view bytes, std::uint64_t from);

} // namespace ipcbox::front
