// How daemon-run starts a daemon, up to the outcome.
#pragma once

#include "front/daemon/options.h"
#include "front/run_command.h"

namespace ipcbox::front {

// Starts COMMAND and waits until it is up, prints the outcome, and returns daemon-run's status. It
// ends a daemon that is not ready in time. If a daemon already runs, that is a failure, and that
// daemon stays. Throws Error when the daemon cannot be started for another reason.
[[nodiscard]] int run_daemon_start(const DaemonConfig& config, const Command& command);

} // namespace ipcbox::front
