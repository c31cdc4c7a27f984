// Finds the process that has the address we want: proc(5), /proc/net/tcp, /proc/net/udp,
// /proc/net/unix and /proc/PID/fd. Use it only for the text of an error message: it searches for at
// most two seconds, and its answer may be out of date.
#pragma once

#include "net/address.h"

#include <string>

namespace ipcbox::net {

// The process that listens on ADDRESS (or on all interfaces at its port), or on a Unix socket that
// was bound to it: "812 (nginx, root, 3d2h)"; "a process of www-data" when we may not see which
// process it is; empty when none was found. For our own process, the text adds that the address
// was given twice. TYPE is that of socket(2): with SOCK_DGRAM it is the process that gets the
// datagrams.
[[nodiscard]] std::string socket_owner(const Address& address, int type = SOCK_STREAM);

} // namespace ipcbox::net
