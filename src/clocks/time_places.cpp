#include "clocks/time_places.h"

#include "net/datagram_socket.h"
#include "net/listener.h"

#include <fmt/core.h>
#include <utility>

namespace ipcbox::clocks {

namespace {

std::vector<TimePlace> try_to_open(net::HostPort where, Protocol protocol, Transports transports) {
    std::vector<TimePlace> places;
    if (transports != Transports::udp)
        for (auto& listener : net::listen_tcp(where))
            places.push_back({{std::move(listener.socket), listener.address}, protocol});
    if (!places.empty()) where.port = places.front().bound.address.port();
    if (transports != Transports::tcp)
        for (auto& bound : net::bind_udp(where))
            places.push_back({std::move(bound), protocol, Transport::udp});
    return places;
}

} // namespace

std::string TimePlace::text() const {
    return fmt::format("{} ({}, {})", bound.address.text(), name_of(protocol), name_of(transport));
}

std::string_view name_of(Protocol protocol) {
    return protocol == Protocol::time ? "time" : "daytime";
}

std::string_view name_of(Transport transport) {
    return transport == Transport::tcp ? "tcp" : "udp";
}

std::vector<TimePlace> open_time_places(const net::HostPort& where, Protocol protocol,
                                        Transports transports) {
    // What the kernel chose for TCP may be taken for UDP.
    for (int attempts = where.port == 0 ? 20 : 1;; --attempts) {
        try {
            return try_to_open(where, protocol, transports);
        } catch (const net::AddressInUse&) {
            if (attempts == 1) throw;
        }
    }
}

std::vector<TimePlace> inherited_time_places(std::optional<std::uint16_t> daytime_port) {
    std::vector<TimePlace> places;
    const unsigned count = net::take_inherited_count();
    for (unsigned at = 0; at < count; ++at) {
        const int number = net::first_inherited + static_cast<int>(at);
        auto& place = places.emplace_back();
        if (net::is_datagram_socket(number)) {
            place.transport = Transport::udp;
            place.bound = net::inherited_datagram_socket(number);
        } else {
            auto listener = net::inherited_listener(number, net::ListenerKind::tcp);
            place.bound = {std::move(listener.socket), listener.address};
        }
        if (place.bound.address.port() == daytime_port) place.protocol = Protocol::daytime;
    }
    return places;
}

} // namespace ipcbox::clocks
