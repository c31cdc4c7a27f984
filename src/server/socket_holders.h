// Whether a process that we did not start, or whose parent has ended, still has a socket of ours:
// proc(5), /proc/PID/fd.
#pragma once

#include <sys/types.h>

namespace ipcbox::server {

// Whether a process of the group has the socket with this inode number. It costs one system call
// when the group is empty, and a walk through /proc otherwise. What cannot be seen (a process of
// another user, a hidden one) is taken to have it.
[[nodiscard]] bool group_holds_socket(pid_t group, ino_t socket);

} // namespace ipcbox::server
