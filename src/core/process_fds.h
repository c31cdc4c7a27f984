// The descriptors of any process: /proc/PID/fd of proc(5).
#pragma once

#include <functional>
#include <string>
#include <sys/types.h>

namespace ipcbox {

enum class FdView {
    whole, // all were looked at, or LOOK had seen enough
    ended, // there is no such process
    hidden // we may not see them
};

// Calls LOOK with the number of each descriptor of PID and where it leads to: a path,
// "pipe:[1234]", or nothing where we may not know. LOOK returns false when it has seen enough.
FdView look_at_descriptors(
    pid_t pid,
    const std::function<bool(const std::string& number, const std::string& target)>& look);

// Where the descriptor of a socket leads to: "socket:[1234]".
[[nodiscard]] std::string socket_link(ino_t socket);

} // namespace ipcbox
