// A process and all that descend from it, as /proc/PID/task/TID/children has them: proc(5).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <sys/types.h>
#include <vector>

namespace ipcbox::process {

// The children of PID, of all its threads, at this moment. Empty when it has none or has ended.
[[nodiscard]] std::vector<pid_t> children_of(pid_t pid);

// The threads of PID, at this moment. Empty when it has ended.
[[nodiscard]] std::vector<pid_t> threads_of(pid_t pid);

// All that descend from PID at this moment, without it, parents first. Meanwhile more may be born.
[[nodiscard]] std::vector<pid_t> descendants_of(pid_t pid);

struct TreeResult {
    std::size_t signalled = 0;
    std::vector<pid_t> refused{}; // we may not signal them (EPERM)
};

// Makes us a subreaper (prctl(2)): what descends from us becomes our child when it loses its
// parent. Throws SysError.
void adopt_orphans();

// Sends SIGNAL to all that descend from us. We have to be a subreaper: nothing can get away then. A
// tree that keeps growing is stopped as below.
TreeResult signal_own_tree(int signal);

// Sends SIGNAL to the processes ROOTS, by their handles, and to all that descend from them, without
// us. Each is stopped (SIGSTOP) before its children are read, and that is repeated until a walk
// over the tree finds nobody new and nobody running, so that a tree cannot outgrow us. Then all get
// the signal, and what we stopped goes on; with Waking::everybody, what was stopped before, too.
struct Root {
    pid_t pid = 0;
    std::uint64_t start_ticks = 0; // another start is another process, which is left alone
};
enum class Waking { those_we_stopped, everybody };
TreeResult signal_trees(std::span<const Root> roots, int signal, Waking waking);

} // namespace ipcbox::process
