#include "clocks/time_sockets.h"

#include "net/datagram_socket.h"
#include "net/listener.h"

#include <fmt/core.h>
#include <utility>

namespace ipcbox::clocks {

namespace {

std::vector<TimeSocket> try_to_open(net::HostPort where, Protocol protocol, Transports transports) {
    std::vector<TimeSocket> sockets;
    if (transports != Transports::udp)
        for (auto& listener : net::listen_tcp(where))
            sockets.push_back({{std::move(listener.socket), listener.address}, protocol});
    if (!sockets.empty()) where.port = sockets.front().bound.address.port();
    if (transports != Transports::tcp)
        for (auto& bound : net::bind_udp(where))
            sockets.push_back({std::move(bound), protocol, Transport::udp});
    return sockets;
}

} // namespace

std::string TimeSocket::text() const {
    return fmt::format("{} ({}, {})", bound.address.text(), name_of(protocol), name_of(transport));
}

std::string_view name_of(Protocol protocol) {
    return protocol == Protocol::time ? "time" : "daytime";
}

std::string_view name_of(Transport transport) {
    return transport == Transport::tcp ? "tcp" : "udp";
}

std::vector<TimeSocket> open_time_sockets(const net::HostPort& where, Protocol protocol,
                                          Transports transports) {
    // The kernel may choose a port for TCP that is already in use for UDP. Try again then.
    for (int attempts = where.port == 0 ? 20 : 1;; --attempts) {
        try {
            return try_to_open(where, protocol, transports);
        } catch (const net::AddressInUse&) {
            if (attempts == 1) throw;
        }
    }
}

std::vector<TimeSocket> inherited_time_sockets(std::optional<std::uint16_t> daytime_port) {
    std::vector<TimeSocket> sockets;
    const unsigned count = net::take_inherited_count();
    for (unsigned at = 0; at < count; ++at) {
        const int number = net::first_inherited + static_cast<int>(at);
        auto& socket = sockets.emplace_back();
        if (net::is_datagram_socket(number)) {
            socket.transport = Transport::udp;
            socket.bound = net::inherited_datagram_socket(number);
        } else {
            auto listener = net::inherited_listener(number, net::ListenerKind::tcp);
            socket.bound = {std::move(listener.socket), listener.address};
        }
        if (socket.bound.address.port() == daytime_port) socket.protocol = Protocol::daytime;
    }
    return sockets;
}

} // namespace ipcbox::clocks
