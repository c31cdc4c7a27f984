// The command line of daemon-run.
#pragma once

#include "cli/options.h"
#include "cli/values.h"
#include "core/fork_retry.h"
#include "expect/pattern.h"
#include "process/respawn.h"
#include "process/rotating_log.h"
#include "process/stages.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ipcbox::front {

struct DaemonConfig {
    enum class Action { start, stop, restart, reload, status };
    Action action = Action::start;
    std::optional<std::string> pid_file; // this path and the others are absolute
    std::optional<std::string> lock_file;
    std::optional<cli::Owner> user;
    std::optional<std::string> directory;
    std::optional<std::string> output;
    std::optional<std::string> error;
    std::vector<std::string> environment;
    std::vector<int> kept; // descriptors
    Duration settle = std::chrono::seconds{1};
    std::optional<int> ready_fd;
    std::optional<std::uint16_t> ready_port;
    std::optional<expect::Pattern> ready_log;
    std::optional<Duration> ready_timeout;
    std::optional<process::Rotation> rotation;
    std::optional<process::RespawnLimit> respawn;
    ForkRetry fork_retry;
    process::Stages stages;
    std::vector<std::string> command;
    bool appends = false;
    bool background = false;
    bool ready_notify = false;
    bool syslog = false;
    bool json = false;
    cli::Verbosity verbosity;

    // Whether the daemon has to report or show that it is ready.
    [[nodiscard]] bool asks_for_readiness() const {
        return ready_fd || ready_notify || ready_port || ready_log;
    }
    // Whether a process of ours has to stay beside the daemon.
    [[nodiscard]] bool needs_keeper() const { return rotation || syslog || respawn; }
};

// Throws UsageError.
[[nodiscard]] DaemonConfig parse_daemon_options(const Invocation& invocation);

} // namespace ipcbox::front
