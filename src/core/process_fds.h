// The descriptors of any process: /proc/PID/fd of proc(5).
#pragma once

#include <functional>
#include <string>
#include <sys/types.h>

namespace ipcbox {

enum class FdView {
    whole, // LOOK saw all of them, or as many as it wanted
    ended, // there is no such process
    hidden // we have no permission to see them
};

// Calls LOOK with the number of each descriptor of PID and where it leads to: a path,
// "pipe:[1234]", or nothing when we have no permission to know. LOOK returns false to see no more.
FdView look_at_descriptors(
    pid_t pid,
    const std::function<bool(const std::string& number, const std::string& target)>& look);

// Where the descriptor of a socket leads to: "socket:[1234]".
[[nodiscard]] std::string socket_link(ino_t socket);

} // namespace ipcbox
