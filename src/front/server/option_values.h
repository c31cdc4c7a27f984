// The values of the servers' options, as users write them. Each parser throws
// std::invalid_argument, saying what was expected.
#pragma once

#include "core/spawn.h"
#include "net/address.h"
#include "server/admission.h"

#include <optional>
#include <string_view>
#include <sys/types.h>

namespace ipcbox::front {

constexpr int max_connections = 1'000'000;

// "10/1s": at most ten in each second.
[[nodiscard]] server::Rate parse_rate(std::string_view text);

// "4", "4/24" or "4/24/56": at most four clients of a network, and the number of bits that the
// IPv4 or IPv6 addresses of one network have in common.
struct PerNetwork {
    unsigned max = 0;
    unsigned bits_4 = 32;
    unsigned bits_6 = 64; // what one customer of a provider has at least (RFC 6177)
};
[[nodiscard]] PerNetwork parse_per_network(std::string_view text);

// "nofile=64", "core=unlimited", with the names of prlimit(1).
[[nodiscard]] ResourceLimit parse_resource_limit(std::string_view text);
// The name of a resource of setrlimit(2), as --rlimit takes it; "?" for one that it does not take.
[[nodiscard]] std::string_view resource_name(int number);

// A numeric IP address.
[[nodiscard]] net::Address parse_client(std::string_view text);

// "root", "root:adm" or ":adm". A part that is empty leaves the socket's user or group as it is.
struct SocketOwner {
    std::optional<uid_t> user;
    std::optional<gid_t> group;
};
[[nodiscard]] SocketOwner parse_socket_owner(std::string_view text);

} // namespace ipcbox::front
