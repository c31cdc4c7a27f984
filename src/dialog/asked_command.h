// A program that answers: a line goes to its standard input, and a line of its standard output
// comes back. perlipc, "Bidirectional Communication with Another Process".
#pragma once

#include "core/child.h"
#include "core/deadline.h"
#include "core/fd.h"
#include "core/fork_retry.h"
#include "core/signals.h"

#include <functional>
#include <optional>
#include <poll.h>
#include <span>
#include <string>
#include <string_view>

namespace ipcbox::dialog {

class AskedCommand {
  public:
    using Sink = std::function<void(std::string_view)>;

    // Starts PROGRAM; RETRY is as SpawnPlan has it. The kernel kills it when we die. Throws as
    // spawn() does.
    AskedCommand(const std::string& program, std::span<const std::string> words,
                 const ForkRetry* retry = nullptr);

    [[nodiscard]] pid_t pid() const { return child_.pid(); }

    // While we wait, LOOK is called at this interval.
    void watch(Duration every, std::function<void()> look);

    // Sends QUESTION with a line feed, and gives SINK one line of the answer as it comes, with its
    // line feed; false when the program ends its output before that. Reads while it writes, so that
    // a long question cannot block both. Throws TimedOut, SysError.
    [[nodiscard]] bool ask(std::string_view question, const Sink& sink, Deadline deadline);
    // Ends the program's input and gives SINK the rest of its output; the status.
    [[nodiscard]] WaitStatus finish(const Sink& sink, Deadline deadline);

  private:
    [[nodiscard]] bool wait(std::span<pollfd> entries, Deadline deadline);
    void send_some(std::string_view& question);
    [[nodiscard]] bool receive();
    [[nodiscard]] bool give_line(const Sink& sink);

    // A write to a command that has ended is then an error. A write to our own closed output still
    // kills us at the end.
    BlockedSignals broken_pipes_{signal_set({SIGPIPE})};
    std::optional<Duration> every_;
    std::function<void()> look_;
    Child child_;
    Fd input_;
    Fd output_;
    std::string received_; // and not given yet
};

} // namespace ipcbox::dialog
