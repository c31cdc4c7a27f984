// The client's side of a session of command-server: the lines from the client, the text to it, and
// the log.
#pragma once

#include "core/deadline.h"
#include "core/signals.h"
#include "front/server/command_plan.h"

#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::front {

// These end a session without a message: the client has gone, or TERM has come.
struct ClientGone {};
struct SessionStopped {};

class CommandClient {
  public:
    // The client is our standard input and output. PLAN must outlive this.
    explicit CommandClient(const CommandPlan& plan);

    // The next line, without its line feed. Nothing at the end of the client's input (where a last
    // line without a line feed may be incomplete), and after refuse(), when the client was idle or
    // sent a line that is too long. Throws ClientGone and SessionStopped.
    [[nodiscard]] std::optional<std::string> next_line();

    // Sends text to the client, in pieces of a good size.
    void send(std::string_view text);
    // Sends all text that is left. Throws ClientGone, even when the client has not read anything
    // for the idle time.
    void flush();

    // Sends the client a last line: WHY its session ends.
    void refuse(const std::string& why);
    // Writes a line to the server's log; one that cannot be written is lost. With -q, the log has
    // only trouble.
    void log(const std::string& text) const;
    void trouble(const std::string& text) const;

    // Ends the session. If it was our side that failed, the log says so.
    [[noreturn]] void lose(const SysError& error) const;

    [[nodiscard]] SignalFd& signals() { return signals_; }

  private:
    bool hear(Deadline deadline);
    void take_leave();

    const CommandPlan& plan_;
    const std::string name_;
    SignalFd signals_{SIGTERM};
    std::string heard_;
    std::size_t heard_at_ = 0; // what is before was taken
    std::string unsent_;
};

} // namespace ipcbox::front
