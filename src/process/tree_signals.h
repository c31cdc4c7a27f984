// Signals to a process and all its descendants, so that none of them gets away.
#pragma once

#include "process/tree.h"

#include <cstddef>
#include <span>
#include <sys/types.h>
#include <vector>

namespace ipcbox::process {

struct TreeResult {
    std::size_t signalled = 0;
    std::vector<pid_t> refused{}; // we have no permission to signal them (EPERM)
};

// Makes us a subreaper (prctl(2)): a descendant becomes our child when it loses its parent. Throws
// SysError.
void adopt_orphans();

// Sends SIGNAL to all our descendants. We have to be a subreaper, so that none of them can get
// away. A tree that keeps growing is stopped as below.
TreeResult signal_own_tree(int signal);

// Sends SIGNAL to the processes ROOTS, by their handles, and to all their descendants, except us.
// It stops each process (SIGSTOP) before it reads its children, and repeats that until a walk over
// the tree finds no new and no running process, so that a tree cannot outgrow us. Then all of them
// get the signal, and those that we stopped continue; with Waking::everybody, those that were
// stopped before also do.
enum class Waking { those_we_stopped, everybody };
TreeResult signal_trees(std::span<const Root> roots, int signal, Waking waking);

} // namespace ipcbox::process
