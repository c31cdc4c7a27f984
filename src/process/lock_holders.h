// Which processes hold the lock of a file: /proc/locks of proc(5).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace ipcbox::process {

// The processes that hold an flock(2) lock on the file INODE of DEVICE, according to the lines of
// /proc/locks. They are the processes that took the lock; their children may hold it by now. 0 is a
// process of another PID namespace.
[[nodiscard]] std::vector<pid_t> lock_holders_in(std::string_view locks, dev_t device, ino_t inode);

// The same for the file of FD. If the process that took the lock has ended, these are the processes
// that inherited it: flock(1) ends at once in "exec 9>lock; flock 9". We are among those only if
// there is no other. Empty when that cannot be found out.
[[nodiscard]] std::vector<pid_t> lock_holders(int fd);

// "812 (make, root, 3m12s), 815 (…)": those of PIDS that exist; "another process" when none does.
[[nodiscard]] std::string text_of(std::span<const pid_t> pids);

// Whether PID is our parent, its parent, and so on.
[[nodiscard]] bool is_ancestor(pid_t pid);

} // namespace ipcbox::process
