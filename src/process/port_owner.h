// Whether a process listens on a TCP port: /proc/PID/net/tcp and /proc/PID/fd of proc(5).
// Connecting would only show that some process does.
#pragma once

#include <cstdint>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace ipcbox::process {

// The inodes of the sockets that listen on PORT, of a table such as /proc/net/tcp.
[[nodiscard]] std::vector<ino_t> listening_sockets(std::string_view table, std::uint16_t port);

// Whether ROOT, or a process that descends from it, has a socket that listens on PORT. False when
// that cannot be seen.
[[nodiscard]] bool tree_listens(pid_t root, std::uint16_t port);

} // namespace ipcbox::process
