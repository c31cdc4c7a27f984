// Where a server of the time answers: sockets that listen, and sockets that get datagrams.
#pragma once

#include "net/bind.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ipcbox::clocks {

enum class Protocol { time, daytime }; // RFC 868, RFC 867
enum class Transport { tcp, udp };

struct TimeSocket {
    net::BoundSocket bound;
    Protocol protocol = Protocol::time;
    Transport transport = Transport::tcp;

    // "127.0.0.1:37 (time, tcp)"
    [[nodiscard]] std::string text() const;
};

// "time" and "daytime", "tcp" and "udp".
[[nodiscard]] std::string_view name_of(Protocol protocol);
[[nodiscard]] std::string_view name_of(Transport transport);

enum class Transports { tcp, udp, both };

// On every address of the host, or on all interfaces without one. Both transports have the same
// port, also when port 0 has the kernel choose it. Throws as listen_tcp() (net/listener.h).
[[nodiscard]] std::vector<TimeSocket> open_time_sockets(const net::HostPort& where,
                                                        Protocol protocol, Transports transports);

// What we were started with (take_inherited_count()): what has DAYTIME_PORT speaks that protocol,
// all the others the other one. Throws Error for a descriptor that is anything else.
[[nodiscard]] std::vector<TimeSocket>
inherited_time_sockets(std::optional<std::uint16_t> daytime_port);

} // namespace ipcbox::clocks
