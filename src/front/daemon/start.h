// daemon-run's start of a daemon, up to its outcome.
#pragma once

#include "front/daemon/options.h"
#include "front/run_command.h"

namespace ipcbox::front {

// Starts COMMAND and waits until it is up; prints what came of it, and returns daemon-run's status.
// A daemon that is not ready in time is ended. One that runs already is a failure, and stays.
// Throws Error when there is no daemon for another reason.
[[nodiscard]] int run_daemon_start(const DaemonConfig& config, const Command& command);

} // namespace ipcbox::front
