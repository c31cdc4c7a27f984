// A program on a terminal of its own, with our standard input and output on the other side: pty(7).
#pragma once

#include "core/child.h"
#include "core/pty.h"
#include "core/signals.h"
#include "dialog/kept_end.h"
#include "dialog/rest.h"
#include "dialog/typed_input.h"
#include "dialog/typescript.h"

#include <optional>
#include <span>
#include <string>

namespace ipcbox::dialog {

struct PtyRelayPlan {
    // The input of the program: the keys that a person types on our terminal, the bytes of our
    // standard input, or nothing.
    enum class Input { keys, bytes, none } input = Input::none;
    // A line feed of the program stays a line feed, or becomes CR LF as on a terminal.
    enum class LineFeeds { as_written, as_shown } line_feeds = LineFeeds::as_written;
    std::optional<TerminalSize> size{}; // nothing: that of our terminal, if we have one
    bool shows_input = false;           // bytes that are typed, as a terminal does for a person
    bool splits_errors = false;         // the program's standard error is ours, not the terminal
    std::string log{};
    std::string timing{};
};

class PtyRelay {
  public:
    // Starts PROGRAM. Throws as spawn() does, and SysError when there can be no terminal.
    PtyRelay(const std::string& program, std::span<const std::string> arguments,
             const PtyRelayPlan& plan);

    // Moves bytes until the program has ended and all of its output has been read, and returns its
    // status. Processes that it left behind have a moment more for their output. Throws SysError
    // when standard output cannot be written, including EPIPE.
    [[nodiscard]] WaitStatus to_end();
    // Why the log is not whole; empty when it is.
    [[nodiscard]] const std::string& log_failure() const { return typescript_.failure(); }

  private:
    void set_up(const Pty& pty) const;
    [[nodiscard]] bool reads_input() const;
    void take_signals();
    void follow_size() const;
    void stop_with_program();
    void take_input();
    void use_keys(std::string_view keys);
    void end_input();
    void keep_end();
    void type();
    [[nodiscard]] bool take_output();
    void look_at_child();

    PtyRelayPlan plan_;
    HarmlessWriteSignals file_limit_{SIGXFSZ};
    Typescript typescript_;
    SignalFd signals_{SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,  SIGUSR1,
                      SIGUSR2, SIGCONT, SIGCHLD, SIGWINCH, SIGPIPE};
    std::optional<RawTerminal> raw_;
    Fd master_;
    std::optional<TypedInput> typed_input_;
    bool input_has_ended_ = false;
    std::string typed_; // and not taken by the terminal yet
    KeptEnd end_;
    Child child_;
    pid_t pid_ = 0;
    std::optional<WaitStatus> status_;
    Rest rest_;
};

} // namespace ipcbox::dialog
