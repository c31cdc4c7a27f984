// The front: the parent of a command that runs while we have a token of a cluster. Its child, the
// keeper, speaks to etcd (cluster/lease_keeper.h); the front passes signals on to the command, ends
// with its status, and knows by its own clock when the command has to be gone.
//
// Either of them may be killed or stopped, and there are never more commands than tokens:
//
//     front killed      the kernel kills the command, and the keeper gives the token back
//     front stopped     the keeper goes on
//     keeper killed     the front starts another one with the same lease
//     keeper stopped    the front ends the command before the lease is over
//     both killed       the kernel kills the command; the lease runs out
#pragma once

#include "cluster/lease_keeper.h"
#include "front/run_command.h"

#include <functional>
#include <string>

namespace ipcbox::front {

// Takes a token as PLAN says, runs COMMAND, gives the token back; returns our exit status: the
// command's own; the plan's busy_status when no token was free in time; 124 when the command was
// ended because the lease was lost. Dies of the signal that killed the command. Throws Error, also
// when /proc does not show our PID namespace: the guards find the command's processes there.
//
// The environment of the command has IPCBOX_SEM_KEY and IPCBOX_SEM_FENCE, and the same under the
// names that `etcdctl lock` has: ETCD_LOCK_KEY and ETCD_LOCK_REV.
[[nodiscard]] int run_guarded(const Command& command, const cluster::KeeperPlan& plan);

// The same for plan.owner, a process that runs already, instead of a command: the token comes back
// when that process has ended, or when we are told to end. For a forked child of the process that
// takes the token. Once we have it, we detach ourselves from the session, call TAKEN with the fence
// and the key in etcd, and outlive our parent.
using Taken = std::function<void(etcd::Revision fence, const std::string& key)>;
[[nodiscard]] int hold_guarded(const cluster::KeeperPlan& plan, const Taken& taken);

} // namespace ipcbox::front
