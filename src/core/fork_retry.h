// Trying again when the kernel refuses a new process, because the machine or its user has as many
// as it may have (EAGAIN) or no memory for one (ENOMEM): fork(2). A program that starts as another
// user can also fail so in execve(2). The example in perlipc's "Safe Pipe Opens" also tries again.
//
//     ForkAttempts attempts{plan.retry};
//     do
//         pid = ::fork();
//     while (pid < 0 && attempts.again_after(errno));
#pragma once

#include "core/deadline.h"
#include "core/error.h"

#include <functional>

namespace ipcbox {

struct ForkRetry {
    int times = 0; // after the first attempt
    Duration pause{};
    // Called before each pause, with the errno.
    std::function<void(int error)> on_refusal{};
};

class ForkAttempts {
  public:
    // Without a policy there is one attempt.
    explicit ForkAttempts(const ForkRetry* policy) noexcept
        : policy_(policy), left_(policy != nullptr ? policy->times : 0) {}

    // Whether to try again, after the pause: ERROR is a refusal, and an attempt is left. Throws
    // StoppedBySignal when HUP, INT, QUIT or TERM comes during the pause.
    [[nodiscard]] bool again_after(int error);

  private:
    const ForkRetry* policy_;
    int left_;
};

// A signal asked us to end before our work could begin. Code that catches this and does not throw
// it again has to die of that signal.
class StoppedBySignal : public Error {
  public:
    explicit StoppedBySignal(int signal);

    [[nodiscard]] int signal() const noexcept { return signal_; }

  private:
    int signal_;
};

} // namespace ipcbox
