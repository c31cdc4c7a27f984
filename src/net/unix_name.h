// A Unix socket's path over 107 bytes, which is all that sockaddr_un has room for (unix(7)), in a
// form that the kernel takes: through /proc/self/fd. Short paths and abstract names stay as they
// are, and need no /proc.
#pragma once

#include "core/fd.h"
#include "net/address.h"

#include <string>

namespace ipcbox::net {

// An address for connect(2), bind(2) or sendto(2). It means the socket for as long as KEPT is open.
struct UnixName {
    Address address;
    Fd kept;
};

// For connect(2) and sendto(2): the socket at ADDRESS, which has to be there. Throws SysError,
// "cannot open PATH", when a long path leads nowhere.
[[nodiscard]] UnixName name_to_connect(const Address& address);

// For bind(2): PATH, whose last part is NAME, a file in DIRECTORY. DIRECTORY has to stay open.
// Throws Error when NAME alone is longer than the about 90 bytes that are left beside
// /proc/self/fd/N.
[[nodiscard]] Address name_to_bind(const std::string& path, const Fd& directory,
                                   const std::string& name);

} // namespace ipcbox::net
