// getsockopt(2) and setsockopt(2), socket(7): for the files that make system calls. Both return -1
// and set errno on failure, as the calls do; the caller decides what that means.
#pragma once

#include "core/fd.h"
#include "core/syscall.h"

#include <sys/socket.h>

namespace ipcbox::net {

template <class Value>
int set_socket_option(const Fd& socket, int level, int option, const Value& value) {
    return sys::call("setsockopt", ::setsockopt, socket.get(), level, option,
                     static_cast<const void*>(&value), socklen_t{sizeof value});
}

template <class Value>
[[nodiscard]] int get_socket_option(int socket, int level, int option, Value& into) {
    socklen_t size = sizeof into;
    return sys::call("getsockopt", ::getsockopt, socket, level, option, static_cast<void*>(&into),
                     &size);
}

// Makes room for a rush of datagrams: some 10 000 small ones, each of which the kernel counts as
// about 800 bytes. Only root may exceed net.core.rmem_max (socket(7)). A smaller buffer loses more
// datagrams of a rush, and has no other effect.
inline void enlarge_receive_buffer(const Fd& socket) {
    constexpr int bytes = 8 * 1024 * 1024;
    if (set_socket_option(socket, SOL_SOCKET, SO_RCVBUFFORCE, bytes) < 0)
        (void)set_socket_option(socket, SOL_SOCKET, SO_RCVBUF, bytes);
}

} // namespace ipcbox::net
