// Sends a signal to processes and reports the outcome, for signal-send.
#pragma once

#include "cli/options.h"
#include "core/deadline.h"
#include "process/identity.h"
#include "process/selection.h"
#include "process/stages.h"

#include <csignal>
#include <optional>
#include <string>
#include <vector>

namespace ipcbox::front {

// Exactly one of PROCESSES, CRITERIA and PID_FILE says which processes.
struct SendPlan {
    int signal = SIGTERM;
    std::vector<process::Identity> processes;
    process::Criteria criteria;
    std::optional<std::string> pid_file;
    std::optional<std::string> program; // that the process of the pid file has to run
    std::optional<int> value;
    std::optional<process::Stages> stages;
    std::optional<Duration> wait;
    bool tree = false;
    bool except_self = false;
    bool dry_run = false;
    bool force = false;
    bool json = false;
    cli::Verbosity verbosity;
};

// Carries out the plan, and reports each failure in a line. Returns the exit status: 0, 1 when a
// process could not be signalled, 124 when one still runs after the wait. Throws Error.
[[nodiscard]] int send_signals(const SendPlan& plan);

} // namespace ipcbox::front
