// What daemon-run's options mean for the room below.
#pragma once

#include "front/daemon/options.h"
#include "process/daemon_logs.h"
#include "process/readiness.h"

namespace ipcbox::front {

// When the daemon is up. CONFIG has to outlive it.
[[nodiscard]] process::ReadyPlan ready_plan(const DaemonConfig& config);

// Where a daemon with a keeper has its output; NAME is its name in the system's log.
[[nodiscard]] process::LogPlan log_plan(const DaemonConfig& config, std::string_view name);

} // namespace ipcbox::front
