// Connections through a SOCKS5 proxy (RFC 1928), with a name and a password if it wants them
// (RFC 1929).
//
//     Fd socket = connect_tcp(addresses_of_the_proxy, "proxy:1080", {}, deadline);
//     connect_through_socks5(socket, {"example.org", 80}, login, deadline);
//     // From now on every byte is the target's.
//
// The proxy looks up a target that is a name (curl's socks5h://, --socks5-hostname). For socks5://
// and --socks5 the caller resolves the name first and gives the address: host() of net::Address.
#pragma once

#include "core/deadline.h"
#include "core/error.h"
#include "core/fd.h"
#include "net/address.h"

#include <optional>
#include <string>

namespace ipcbox::net {

// The proxy does not speak SOCKS5, wants another login, or forbids the connection: trying again
// does not help.
class SocksError : public Error {
  public:
    using Error::Error;
};

// Each has 1 to 255 bytes.
struct SocksLogin {
    std::string user;
    std::string password;
};

// Asks the proxy at the other end of SOCKET, which is connected and non-blocking, for a connection
// to TARGET. Reads no byte that the target then sends. LOGIN is offered beside "no login", and sent
// only if the proxy asks for it.
//
// Throws Unreachable when the proxy cannot reach the target (its reply says so, and why) or closes
// the connection, SocksError for everything else that the proxy refuses, SocksError for a host name
// or a login that is too long for the protocol, and TimedOut. (curl has the status 97 for the first
// two.)
void connect_through_socks5(const Fd& socket, const HostPort& target,
                            const std::optional<SocksLogin>& login, Deadline deadline);

} // namespace ipcbox::net
