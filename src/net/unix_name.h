// sockaddr_un has room for a path of 107 bytes (unix(7)). This gives a longer path a form that the
// kernel takes, through /proc/self/fd. Short paths and abstract names stay as they are, and need no
// /proc.
#pragma once

#include "core/fd.h"
#include "net/address.h"

#include <string>

namespace ipcbox::net {

// An address for connect(2), bind(2) or sendto(2). It leads to the socket as long as KEPT is open.
struct UnixName {
    Address address;
    Fd kept;
};

// For connect(2) and sendto(2): the socket at ADDRESS, which must exist. Throws SysError, "cannot
// open PATH", when a long path leads nowhere.
[[nodiscard]] UnixName name_to_connect(const Address& address);

// For bind(2): PATH, whose last part is NAME, a file in DIRECTORY. DIRECTORY must stay open. Throws
// Error when NAME is longer than about 90 bytes, the room left after /proc/self/fd/N.
[[nodiscard]] Address name_to_bind(const std::string& path, const Fd& directory,
                                   const std::string& name);

} // namespace ipcbox::net
