// The keeper of a lease: the one of the two guards of a command that speaks to etcd. The other, the
// front, is the parent of the command (front/ipc/guarded_run.h). They talk by guard_channel.h.
//
// The keeper takes the token, gives the command leave to run, keeps the lease, and gives the token
// back: when the front says so, or when the front is gone and the command has ended. When the lease
// is lost it ends the command itself, by a handle, because the front may be stopped.
//
// It runs in a forked child, in a session of its own: Ctrl-Z at the terminal must not stop it.
#pragma once

#include "cluster/cluster_tokens.h"
#include "core/fd.h"

#include <optional>
#include <sys/types.h>

namespace ipcbox::cluster {

struct KeeperPlan {
    EtcdAccess access;
    TokenWish wish;
    OnLost on_lost = OnLost::kill;
    std::optional<Duration> grace{};   // nothing: what fits to the lease
    Deadline wait = Deadline::never(); // for a token
    int busy_status = exit_status::failed;
    // How long to wait before the user is told for whom; nothing: they are never told.
    std::optional<Duration> silence{};
    bool tells_result = true; // who has the token, when it was not free; what became of the lease
};

// Where the keeper before this one was.
struct KeeperStart {
    TokenPlace place{}; // no lease: at the beginning
    pid_t command = 0;  // that runs already
    pid_t front = 0;    // our parent
};

// Runs to the end. FRONT leads to the front, LEAVE to the command before it runs
// (SpawnPlan::leave). Returns our exit status; what there is to say is said to the front.
[[nodiscard]] int keep_lease(const KeeperPlan& plan, const KeeperStart& start, Fd front, Fd leave);

} // namespace ipcbox::cluster
