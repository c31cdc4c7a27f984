// Who has the listening socket that is in our way: proc(5), /proc/net/tcp, /proc/net/unix and
// /proc/PID/fd. For the words of an error message only: it looks for at most two seconds, and
// what it says can be over by then.
#pragma once

#include "net/address.h"

#include <string>

namespace ipcbox {

// The process that listens on ADDRESS (or on all interfaces at its port), or on a Unix socket that
// was bound to it: "812 (nginx, root, 3d2h)"; "a process of www-data" when we may not see which;
// empty when nobody was found.
[[nodiscard]] std::string socket_owner(const Address& address);

} // namespace ipcbox
