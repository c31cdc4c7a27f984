// A process that stays beside a daemon: it reads the daemon's output, and starts the daemon again
// when it has ended. To everybody else, the keeper is the daemon: it passes its signals on to the
// daemon, and when it is killed, the kernel kills the daemon.
#pragma once

#include "core/signals.h"
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
    // And when it ends after the start is over; until PATIENCE it may wait for its files.
    std::function<void(Deadline patience)> after{};
};

struct KeptDaemon {
    Child keeper; // which ends when the daemon does, with its status
    // A stream from the keeper. "ready\n" comes when a line said that the daemon is ready;
    // "ended\n" comes when the daemon ended during its start and would otherwise be started again.
    // After that the keeper waits for confirm_start(), or ends when this is closed.
    Fd channel;
};

// The start is over: from now on, the keeper starts the daemon again when it ends. The start is
// also over when the process that started the keeper ends.
void confirm_start(const Fd& channel) noexcept;

// HUP is passed on, and also makes the keeper open the log files again. After TERM, INT or QUIT,
// the keeper does not start the daemon again. Throws as start_daemon() does, and StoppedBySignal
// when one of SIGNALS comes before the daemon was started; then there is no daemon.
[[nodiscard]] KeptDaemon start_kept_daemon(KeeperPlan plan, SignalFd& signals);

} // namespace ipcbox::process
