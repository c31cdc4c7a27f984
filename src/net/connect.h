// Connections to servers. The sockets are non-blocking, as core/poll.h and net/relay.h want them.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"
#include "net/address.h"

#include <optional>
#include <span>
#include <string_view>

namespace ipcbox::net {

// A connection to the first of ADDRESSES that answers, by RFC 8305 ("happy eyeballs"): it
// alternates IPv6 and IPv4, tries the next address when one fails or has not answered for 250 ms,
// and closes all other sockets once one is connected. TCP_NODELAY is set. SOURCE is our own
// address, with port 0 for any; it must be of the same family as all ADDRESSES.
//
// Throws Unreachable with the reason for each address, after TARGET when there are several: "cannot
// connect to localhost:80: [::1]:80: Connection refused; 127.0.0.1:80: …". Throws Refused, which is
// an Unreachable, when all addresses refuse. Throws TimedOut.
[[nodiscard]] Fd connect_tcp(std::span<const Address> addresses, std::string_view target,
                             const std::optional<Address>& source, Deadline deadline);

// A connection to a Unix stream socket. Waits while the server's backlog is full. Throws Refused
// when no process listens there, TimedOut, and SysError for all other failures.
[[nodiscard]] Fd connect_unix(const Address& address, Deadline deadline);

} // namespace ipcbox::net
