// A command with a time limit. When the time is up, the command and all processes that it started
// get signals in stages, as timeout-run does it and lock-run with --max-hold.
//
//     front::LimitedRun run{limits, command};
//     const auto status = run.to_end();
//     return run.exit_status(status);
#pragma once

#include "core/deadline.h"
#include "core/fork_retry.h"
#include "core/wait_status.h"
#include "front/run_command.h"
#include "process/activity.h"
#include "process/stages.h"
#include "process/supervise.h"

#include <csignal>
#include <optional>
#include <string>
#include <vector>

namespace ipcbox::front {

struct RunLimits {
    // Keep the command in our process group, and signal only the command, or end all processes that
    // it started, including daemons.
    enum class Reach { command, tree };

    Duration time = Duration::max(); // max() means no limit
    process::Stages stages{{SIGTERM}};
    std::optional<Duration> idle{}; // also end the command if it is idle for this long
    Reach reach = Reach::tree;
    ForkRetry fork_retry{};
    bool is_verbose = false; // report each signal on standard error
};

class LimitedRun {
  public:
    enum class End { by_itself, time_up, idle };

    // Starts the command. It refers to LIMITS. Throws as spawn() does.
    LimitedRun(const RunLimits& limits, const Command& command);

    // Waits for the command's end, and ends it when a limit is reached. Then waits for its
    // processes to end, too, for as long as the stages say.
    WaitStatus to_end();

    [[nodiscard]] End end() const { return end_; }
    [[nodiscard]] int last_signal() const { return last_signal_; } // that we sent; 0 for none
    [[nodiscard]] double seconds() const;

    // The status that the user gets: 124 when a limit was reached, 137 when that took KILL. When
    // the command ended by itself, we end as it ended (process::end_as).
    [[nodiscard]] int exit_status(WaitStatus status) const;

  private:
    process::SupervisePlan plan();
    bool on_signal(int signal);
    std::optional<WaitStatus> until_time_is_up();
    std::optional<WaitStatus> until(Deadline deadline);
    void send_next();
    [[nodiscard]] Deadline last_stage_end() const;
    void end_rest_of_tree();

    const RunLimits& limits_;
    Deadline::Clock::time_point start_;
    Deadline limit_ = Deadline::never();
    process::IdleWatch idle_;
    std::string name_;
    End end_ = End::by_itself;
    int last_signal_ = 0;
    bool was_asked_to_end_ = false;
    std::size_t next_ = 0; // index of the next stage
    process::Supervised command_;
};

} // namespace ipcbox::front
