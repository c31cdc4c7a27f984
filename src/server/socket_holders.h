// Finds out whether a process that we did not start, or whose parent has ended, still has a socket
// of ours: proc(5), /proc/PID/fd.
#pragma once

#include <sys/types.h>

namespace ipcbox::server {

// Whether a process of the group has the socket with this inode number. It costs one system call
// when the group is empty, and a walk through /proc otherwise. A process that we may not look at
// (another user's, or a hidden one) counts as having it.
[[nodiscard]] bool group_holds_socket(pid_t group, ino_t socket);

} // namespace ipcbox::server
