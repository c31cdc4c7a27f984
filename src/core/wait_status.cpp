#include "core/wait_status.h"

#include "core/exit_status.h"
#include "core/signals.h"

#include <fmt/core.h>
#include <sys/wait.h>

namespace ipcbox {

WaitStatus WaitStatus::of(const siginfo_t& info) {
    if (info.si_code == CLD_EXITED) return WaitStatus::exited(info.si_status);
    return WaitStatus::killed(info.si_status, info.si_code == CLD_DUMPED);
}

bool WaitStatus::is_broken_pipe() const {
    return as_exit_status() == exit_status::signal_base + SIGPIPE;
}

int WaitStatus::as_exit_status() const {
    return signal_ != 0 ? exit_status::signal_base + signal_ : status_;
}

std::string WaitStatus::text() const {
    if (signal_ == 0) return fmt::format("exit {}", status_);
    return fmt::format("killed by {}{}", signal_name(signal_),
                       dumped_core_ ? " (core dumped)" : "");
}

std::optional<std::string> raw_wait_status_text(int status) {
    constexpr int max_status = 0xffff;
    if (status < 0 || status > max_status) return std::nullopt;
    if (WIFEXITED(status)) return WaitStatus::exited(WEXITSTATUS(status)).text();
    if (WIFCONTINUED(status)) return "continued";
    if (WIFSTOPPED(status)) return fmt::format("stopped by {}", signal_name(WSTOPSIG(status)));
    if (status > 0xff) return std::nullopt; // no status has both a signal and an exit code
    return WaitStatus::killed(WTERMSIG(status), WCOREDUMP(status)).text();
}

} // namespace ipcbox
