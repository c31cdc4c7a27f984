#include "core/fork_retry.h"

#include "core/child.h"
#include "core/signals.h"

#include <cerrno>
#include <csignal>
#include <doctest/doctest.h>
#include <vector>

using namespace ipcbox;

namespace {

constexpr Duration short_pause = std::chrono::milliseconds{1};

} // namespace

TEST_CASE("a refusal is tried again as often as the policy says, and reported each time") {
    std::vector<int> told;
    const ForkRetry retry{2, short_pause, [&](int error) { told.push_back(error); }};
    ForkAttempts attempts{&retry};
    CHECK(attempts.again_after(EAGAIN));
    CHECK(attempts.again_after(ENOMEM));
    CHECK_FALSE(attempts.again_after(EAGAIN));
    CHECK(told == std::vector{EAGAIN, ENOMEM});
}

TEST_CASE("an error that a pause cannot mend is not tried again") {
    const ForkRetry retry{2, short_pause};
    CHECK_FALSE(ForkAttempts{&retry}.again_after(EMFILE));
    CHECK_FALSE(ForkAttempts{nullptr}.again_after(EAGAIN));
}

TEST_CASE("a signal ends the pause") {
    Child child = fork_child([] {
        const BlockedSignals blocked{signal_set({SIGTERM})};
        const ForkRetry retry{1, std::chrono::hours{1}, [](int) { ::raise(SIGTERM); }};
        try {
            (void)ForkAttempts{&retry}.again_after(EAGAIN);
        } catch (const StoppedBySignal& stopped) {
            return stopped.signal();
        }
        return 0;
    });
    CHECK(child.wait().as_exit_status() == SIGTERM);
}
