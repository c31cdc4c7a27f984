// Binds sockets to IP addresses, for connections (net/listener.h) and for datagrams
// (net/datagram_socket.h): bind(2), ip(7), ipv6(7).
#pragma once

#include "core/error.h"
#include "core/fd.h"
#include "net/address.h"
#include "net/resolve.h"

#include <type_traits>
#include <vector>

namespace ipcbox::net {

struct BoundSocket {
    Fd socket;       // close-on-exec and non-blocking
    Address address; // with the port that the kernel chose
};

class BindError : public SysError {
  public:
    explicit BindError(const Address& where)
        : SysError("listen on", where.text()), address(where) {}

    Address address;
};

// Throws ERROR as an Error for the user, with the process that has the address or with advice. TYPE
// is the socket's type.
[[noreturn]] void throw_explained(const BindError& error, int type);

// throw_explained() throws it when another process has the address.
class AddressInUse : public Error {
  public:
    using Error::Error;
};

// A new socket, close-on-exec and non-blocking. Throws SysError, as all functions here do.
[[nodiscard]] Fd make_socket(int family, int type);

void set_option(const Fd& socket, int level, int option, int value);

// Whether an IPv6 socket on all interfaces also accepts IPv4.
enum class Ipv4Too { no, yes };

// Throws BindError.
void bind_to(const Fd& socket, const Address& address, Ipv4Too ipv4_too);

// Whether ERROR means that an address is not this machine's. A host can have addresses of a family
// that is switched off here, and addresses of other machines.
[[nodiscard]] inline bool is_not_ours(int error) {
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

// Opens a socket on each of ADDRESSES that is this machine's. All get the port of the first.
template <class Open> auto bind_all(std::vector<Address> addresses, Open open) {
    std::vector<std::invoke_result_t<Open, const Address&, Ipv4Too>> sockets;
    for (auto& address : addresses) {
        if (!sockets.empty()) address.set_port(sockets.front().address.port());
        try {
            sockets.push_back(open(address, Ipv4Too::no));
        } catch (const SysError& error) {
            const bool is_last_hope = sockets.empty() && &address == &addresses.back();
            if (is_last_hope || !is_not_ours(error.error())) throw;
        }
    }
    return sockets;
}

// Calls OPEN(address, Ipv4Too) for each address of the host that this machine has, and returns the
// sockets, which have a member `address`. All have the same port, even when port 0 lets the kernel
// choose it. Without a host there is one socket for all interfaces, IPv6 and IPv4; on a machine
// without IPv6 it is IPv4 only. Throws what OPEN throws, and Error. Looking up a name takes at most
// 10 s.
template <class Open> auto bind_each(const HostPort& where, Open open) {
    if (where.host.empty()) {
        const auto any = [&where](const char* ip) { return *Address::parse_ip(ip, where.port); };
        std::vector<std::invoke_result_t<Open, const Address&, Ipv4Too>> sockets;
        try {
            sockets.push_back(open(any("::"), Ipv4Too::yes));
        } catch (const SysError& error) {
            if (!is_not_ours(error.error())) throw;
            sockets.push_back(open(any("0.0.0.0"), Ipv4Too::no));
        }
        return sockets;
    }
    constexpr std::chrono::seconds lookup_patience{10};
    const auto addresses =
        resolve(where.host, where.port, Family::any, Deadline::after(lookup_patience));
    // The port that the kernel chose for one address may be taken on the next.
    for (int attempts = where.port == 0 ? 20 : 1;; --attempts) {
        try {
            return bind_all(addresses, open);
        } catch (const BindError& error) {
            if (error.error() != EADDRINUSE || attempts == 1) throw;
        }
    }
}

} // namespace ipcbox::net
