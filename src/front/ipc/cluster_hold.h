// sem-take --hold-for across hosts: a token of an etcd cluster that is kept until another process
// of this host ends. A process of ours keeps it, which ps(1) shows as "hold:812" for process 812.
#pragma once

#include "cluster/token_sets.h"
#include "front/ipc/cluster_taking.h"

namespace ipcbox::front {

// Takes a token that is kept until OWNER has ended, or until give_back_of_ancestor(). When the
// lease is lost, OWNER and its descendants are ended (taking.options.on_lost). Returns our exit
// status. Throws Error when there is no such process.
[[nodiscard]] int take_for_process(const ClusterTaking& taking, pid_t owner);

// Looks in SET for a token that is kept so on this host, for us or for a process that has started
// us. Gives it back, and waits for that. False when there is none.
[[nodiscard]] bool give_back_of_ancestor(const cluster::TokenSetState& set);

} // namespace ipcbox::front
