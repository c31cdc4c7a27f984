// The keeper of a lease: of the two guards of a command, the one that speaks to etcd. The other is
// the front, the parent of the command (front/ipc/guarded_run.h). They talk through a GuardChannel.
//
// The keeper takes the token, gives the command leave to run, keeps the lease, and gives the token
// back: when the front says so, or when the front is gone and the command has ended. When the lease
// is lost it ends the command itself, by a handle, because the front may be stopped.
//
// It runs in a forked child, in a session of its own: Ctrl-Z at the terminal must not stop it.
#pragma once

#include "cluster/cluster_tokens.h"
#include "core/fd.h"
#include "process/tree.h"

#include <optional>
#include <sys/types.h>

namespace ipcbox::cluster {

struct KeeperPlan {
    etcd::Access access;
    TokenWish wish;
    OnLost on_lost = OnLost::kill;
    std::optional<Duration> grace{};   // nothing: the default for the lease's time
    Deadline wait = Deadline::never(); // for a token
    int busy_status = exit_status::failed;
    // How long to wait before telling the user who holds the tokens; nothing: never tell.
    std::optional<Duration> silence{};
    bool tells_result = true; // who has the token, when it was not free; what became of the lease
    // For the process that the token is kept for (sem-take --hold-for): the command only waits for
    // the end of it, and ON_LOST is done to it and its descendants instead of the command.
    std::optional<process::Root> owner{};
};

// Where the keeper before this one was.
struct KeeperStart {
    TokenPlace place{}; // no lease: at the beginning
    pid_t command = 0;  // that runs already
    pid_t front = 0;    // our parent
};

// Runs to the end. FRONT leads to the front, LEAVE to the command before it runs
// (SpawnPlan::leave). Returns our exit status; messages for the user go to the front.
[[nodiscard]] int keep_lease(const KeeperPlan& plan, const KeeperStart& start, Fd front, Fd leave);

} // namespace ipcbox::cluster
