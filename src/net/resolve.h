// Looks up the addresses of hosts, and the names of addresses. A numeric address and localhost need
// no lookup (RFC 6761, section 6.3). For all others, getaddrinfo(3) and getnameinfo(3) cannot be
// interrupted, so they run in a thread. When the time is over we leave that thread to end by
// itself; it shares only its own result with us.
//
// The static binary asks only /etc/hosts and DNS, which glibc has built in, and ignores
// nsswitch.conf(5): other sources are plug-ins that would load a second libc.
#pragma once

#include "core/deadline.h"
#include "net/address.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::net {

enum class Family { any, ipv4, ipv6 };

// The addresses of HOST that need no lookup: one for a numeric HOST, both for localhost, none for
// all others.
[[nodiscard]] std::vector<Address> known_addresses(std::string_view host, std::uint16_t port,
                                                   Family family);

// The result of a lookup.
struct Lookup {
    std::vector<Address> addresses; // the best first (RFC 6724)
    std::string problem;            // "no such host", when there are none
};
// Looks HOST up in the caller's thread, for as long as it takes. For threads that nobody waits for.
[[nodiscard]] Lookup look_up(const std::string& host, std::uint16_t port, Family family);

// The addresses of HOST (at least one), the best first. Throws Unreachable "cannot
// resolve HOST: REASON", TimedOut.
[[nodiscard]] std::vector<Address> resolve(const std::string& host, std::uint16_t port,
                                           Family family, Deadline deadline);

// The name of the host that has this address; nothing when it has none, or when the deadline comes
// first. The owner of the address can choose any name.
[[nodiscard]] std::optional<std::string> reverse_name(const Address& address, Deadline deadline);

} // namespace ipcbox::net
