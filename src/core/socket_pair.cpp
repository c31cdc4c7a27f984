#include "core/socket_pair.h"

#include "core/error.h"
#include "core/syscall.h"

#include <array>
#include <sys/socket.h>

namespace ipcbox {

SocketPair make_socket_pair() {
    std::array<int, 2> numbers{};
    if (sys::call("socketpair", ::socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
                  numbers.data()) < 0)
        throw SysError("make", "a pair of sockets");
    SocketPair pair;
    pair.ours = Fd::adopt(numbers[0]);
    pair.theirs = Fd::adopt(numbers[1]);
    return pair;
}

} // namespace ipcbox
