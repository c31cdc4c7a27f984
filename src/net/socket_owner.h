// Who has the socket that is in our way: proc(5), /proc/net/tcp, /proc/net/udp, /proc/net/unix and
// /proc/PID/fd. For the words of an error message only: it looks for at most two seconds, and
// what it says can be over by then.
#pragma once

#include "net/address.h"

#include <string>

namespace ipcbox::net {

// The process that listens on ADDRESS (or on all interfaces at its port), or on a Unix socket that
// was bound to it: "812 (nginx, root, 3d2h)"; "a process of www-data" when we may not see which;
// empty when nobody was found. TYPE is that of socket(2): with SOCK_DGRAM, who gets the datagrams.
[[nodiscard]] std::string socket_owner(const Address& address, int type = SOCK_STREAM);

} // namespace ipcbox::net
