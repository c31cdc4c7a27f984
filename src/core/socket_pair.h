// socketpair(2): two ends of a stream, close-on-exec, one of them for another process.
#pragma once

#include "core/fd.h"

namespace ipcbox {

struct SocketPair {
    Fd ours;
    Fd theirs;
};

// Throws SysError "cannot make a pair of sockets".
[[nodiscard]] SocketPair make_socket_pair();

} // namespace ipcbox
