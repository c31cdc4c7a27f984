// socketpair(2): two ends of a stream, close-on-exec; one of them is for somebody else.
#pragma once

#include "core/fd.h"

namespace ipcbox {

struct SocketPair {
    Fd ours;
    Fd theirs;
};

[[nodiscard]] SocketPair make_socket_pair();

} // namespace ipcbox
