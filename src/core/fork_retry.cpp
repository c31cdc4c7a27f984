#include "core/fork_retry.h"

#include "core/poll.h"
#include "core/signals.h"

namespace ipcbox {

StoppedBySignal::StoppedBySignal(int signal)
    : Error("stopped by " + signal_name(signal), exit_status::signal_base + signal),
      signal_(signal) {}

// The caller may have blocked these signals, to pass them on to the process that does not exist
// yet.
bool ForkAttempts::again_after(int error) {
    if (left_ == 0 || (error != EAGAIN && error != ENOMEM)) return false;
    --left_;
    if (policy_->on_refusal) policy_->on_refusal(error);
    SignalFd signals{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    if (wait_for(signals.fd(), POLLIN, Deadline::after(policy_->pause)))
        if (const auto signal = signals.next()) throw StoppedBySignal(*signal);
    return true;
}

} // namespace ipcbox
