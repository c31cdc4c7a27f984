// Names and addresses of hosts, in both directions. What needs no lookup gets none: a numeric
// address, and localhost (RFC 6761, section 6.3). For the rest getaddrinfo(3) and getnameinfo(3)
// cannot be interrupted, so they run in a thread, which is left to end by itself when its time is
// over: it shares nothing with us but its own result.
//
// The static binary asks /etc/hosts and DNS, which glibc has built in, whatever nsswitch.conf(5)
// says: other sources would be plug-ins that bring a second libc along.
#pragma once

#include "core/deadline.h"
#include "net/address.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::net {

enum class Family { any, ipv4, ipv6 };

// The addresses of HOST that need no lookup: its own when it is numeric, both of localhost, none
// for all others.
[[nodiscard]] std::vector<Address> known_addresses(std::string_view host, std::uint16_t port,
                                                   Family family);

// What a lookup found.
struct Lookup {
    std::vector<Address> addresses; // the best first (RFC 6724)
    std::string problem;            // "no such host", when there are none
};
// Asks, in the caller's thread and for as long as it takes: for threads that nobody waits for.
[[nodiscard]] Lookup look_up(const std::string& host, std::uint16_t port, Family family);

// The addresses of HOST (at least one), the best first. Throws Unreachable "cannot
// resolve HOST: REASON", TimedOut.
[[nodiscard]] std::vector<Address> resolve(const std::string& host, std::uint16_t port,
                                           Family family, Deadline deadline);

// The name of the host that has this address; nothing when it has none, or when the deadline comes
// first. What it says is in the hands of whoever owns the address.
[[nodiscard]] std::optional<std::string> reverse_name(const Address& address, Deadline deadline);

} // namespace ipcbox::net
