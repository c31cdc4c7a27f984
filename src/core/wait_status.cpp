#include "core/wait_status.h"

#include "core/exit_status.h"
#include "core/signals.h"

#include <fmt/core.h>

namespace ipcbox {

WaitStatus WaitStatus::of(const siginfo_t& info) {
    if (info.si_code == CLD_EXITED) return WaitStatus::exited(info.si_status);
    return WaitStatus::killed(info.si_status, info.si_code == CLD_DUMPED);
}

int WaitStatus::as_exit_status() const {
    return signal_ != 0 ? exit_status::signal_base + signal_ : status_;
}

std::string WaitStatus::text() const {
    if (signal_ == 0) return fmt::format("exit {}", status_);
    return fmt::format("killed by {}{}", signal_name(signal_),
                       dumped_core_ ? " (core dumped)" : "");
}

} // namespace ipcbox
