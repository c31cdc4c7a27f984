// A process that stays beside a daemon: it reads what the daemon writes, and starts it again when
// it has ended. It is the daemon to everybody else: signals that it gets, the daemon gets, and when
// it is killed, the kernel kills the daemon.
#pragma once

#include "process/daemon.h"
#include "process/daemon_logs.h"
#include "process/respawn.h"

#include <functional>
#include <optional>

namespace ipcbox::process {

struct KeeperPlan {
    DaemonPlan daemon; // its place, standard output and error, and death signal are ours
    LogPlan logs;
    std::optional<RespawnLimit> respawn{};
    // Whether a line of the daemon's output says that it is ready.
    std::function<bool(std::string_view)> is_ready_line{};
    std::vector<int> kept{};        // descriptors that the keeper keeps for itself
    std::function<void()> before{}; // called in the keeper when it begins
    std::function<void()> after{};  // and when it ends after the start is over
};

struct KeptDaemon {
    Child keeper; // which ends when the daemon does, with its status
    // A stream of the keeper's. "ready\n" comes when a line said so; "ended\n" when the daemon
    // ended and would be started again if the start were over. Then the keeper waits for
    // confirm_start(), or ends when this is closed.
    Fd channel;
};

// The start is over: the daemon is started again from now on when it ends. So it is when the
// process that started it ends.
void confirm_start(const Fd& channel) noexcept;

// HUP makes the keeper open the log files again, beside what the daemon makes of it. After TERM,
// INT or QUIT the daemon is not started again. Throws as start_daemon() does.
[[nodiscard]] KeptDaemon start_kept_daemon(KeeperPlan plan);

} // namespace ipcbox::process
