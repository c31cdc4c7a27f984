#include "net/proxy_line.h"

#include <fmt/core.h>

namespace ipcbox::net {

namespace {

std::string host_in(int family, const Address& address) {
    const auto host = address.host();
    if (family != address.family()) return "::ffff:" + host;
    return host.substr(0, host.find('%')); // the zone has a meaning only on this machine
}

} // namespace

std::string proxy_line(const Address& source, const Address& destination) {
    if (source.ip_bytes().empty() || destination.ip_bytes().empty()) return "PROXY UNKNOWN\r\n";
    const bool four = source.family() == AF_INET && destination.family() == AF_INET;
    const int family = four ? AF_INET : AF_INET6;
    return fmt::format("PROXY {} {} {} {} {}\r\n", four ? "TCP4" : "TCP6", host_in(family, source),
                       host_in(family, destination), source.port(), destination.port());
}

} // namespace ipcbox::net
