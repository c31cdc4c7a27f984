// Translates daemon-run's options for the room `process`.
#pragma once

#include "front/daemon/options.h"
#include "process/daemon_logs.h"
#include "process/readiness.h"

namespace ipcbox::front {

// The conditions for the daemon to be up. CONFIG has to outlive the plan.
[[nodiscard]] process::ReadyPlan ready_plan(const DaemonConfig& config);

// The logs of a daemon with a keeper; NAME is its name in the system's log.
[[nodiscard]] process::LogPlan log_plan(const DaemonConfig& config, std::string_view name);

} // namespace ipcbox::front
