// How a process ended: waitid(2), wait(2).
#pragma once

#include <csignal>
#include <optional>
#include <string>

namespace ipcbox {

class WaitStatus {
  public:
    [[nodiscard]] static WaitStatus exited(int status) { return WaitStatus{status, 0, false}; }
    [[nodiscard]] static WaitStatus killed(int signal, bool dumped_core) {
        return WaitStatus{0, signal, dumped_core};
    }
    // From the result of waitid(2).
    [[nodiscard]] static WaitStatus of(const siginfo_t& info);

    [[nodiscard]] bool succeeded() const { return signal_ == 0 && status_ == 0; }
    // The signal that killed it; 0 when it exited.
    [[nodiscard]] int signal() const { return signal_; }
    // It died because it wrote to a reader that was gone: by SIGPIPE, or with 141, by which a shell
    // reports that.
    [[nodiscard]] bool is_broken_pipe() const;
    // What a shell would report: the exit status, or 128 + the signal.
    [[nodiscard]] int as_exit_status() const;
    // "exit 3", "killed by TERM", "killed by SEGV (core dumped)".
    [[nodiscard]] std::string text() const;

  private:
    WaitStatus(int status, int signal, bool core)
        : status_(status), signal_(signal), dumped_core_(core) {}

    int status_;
    int signal_;
    bool dumped_core_;
};

// The meaning of the number that wait(2) stores, which is also Perl's $?: "exit 111" for 28416,
// "killed by KILL" for 9, "stopped by TSTP" for 5247, "continued" for 65535. Nothing for any other
// number.
[[nodiscard]] std::optional<std::string> raw_wait_status_text(int status);

} // namespace ipcbox
