// getsockopt(2) and setsockopt(2), socket(7): for the files that make system calls. Both return
// what the calls do, -1 and errno on failure; what that means is the caller's to say.
#pragma once

#include "core/fd.h"
#include "core/syscall.h"

#include <sys/socket.h>

namespace ipcbox {

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

} // namespace ipcbox
