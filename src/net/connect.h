// Connections to servers. The sockets are non-blocking, as core/poll.h and net/relay.h want them.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"
#include "net/address.h"

#include <optional>
#include <span>
#include <string_view>

namespace ipcbox::net {

// A connection to the first of ADDRESSES that answers, by RFC 8305 ("happy eyeballs"): IPv6 and
// IPv4 in turn, the next one tried when one fails or has not answered for 250 ms, the others closed
// once one is there. TCP_NODELAY is set. SOURCE is our own address, its port 0 for any; it has to
// be of the same family as all of ADDRESSES.
//
// Throws Unreachable with each address's own reason, after TARGET when there are several:
// "cannot connect to localhost:80: [::1]:80: Connection refused; 127.0.0.1:80: …"; Refused, which
// is one, when all of them refuse. Throws TimedOut.
[[nodiscard]] Fd connect_tcp(std::span<const Address> addresses, std::string_view target,
                             const std::optional<Address>& source, Deadline deadline);

// A connection to a Unix stream socket, waiting while its server's backlog is full. Throws Refused
// when nobody listens there, TimedOut, SysError otherwise.
[[nodiscard]] Fd connect_unix(const Address& address, Deadline deadline);

} // namespace ipcbox::net
