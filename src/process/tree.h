// A process and all its descendants, from /proc/PID/task/TID/children: proc(5).
#pragma once

#include <cstdint>
#include <span>
#include <sys/types.h>
#include <vector>

namespace ipcbox {
struct ProcessStat;
}

namespace ipcbox::process {

// The children of PID, of all its threads, at this moment. Empty when it has none or has ended.
[[nodiscard]] std::vector<pid_t> children_of(pid_t pid);
// The same for the process of STAT, which was read a moment ago.
[[nodiscard]] std::vector<pid_t> children_of(const ProcessStat& stat);

// The threads of PID, at this moment. Empty when it has ended.
[[nodiscard]] std::vector<pid_t> threads_of(pid_t pid);

// All descendants of PID at this moment, without PID itself, parents first. More may be born
// meanwhile.
[[nodiscard]] std::vector<pid_t> descendants_of(pid_t pid);

// A process whose number may have another owner by now.
struct Root {
    pid_t pid = 0;
    std::uint64_t start_ticks = 0; // another start is another process, which is left alone
};
// Those of PIDS that exist.
[[nodiscard]] std::vector<Root> roots_of(std::span<const pid_t> pids);

} // namespace ipcbox::process
