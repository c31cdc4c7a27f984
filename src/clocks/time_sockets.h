// The sockets of a time server: listening ones, and those that receive datagrams.
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

// Sockets on every address of the host, or on all interfaces without one. Both transports have the
// same port, even if the kernel chooses it (port 0). Throws as listen_tcp() (net/listener.h).
[[nodiscard]] std::vector<TimeSocket> open_time_sockets(const net::HostPort& where,
                                                        Protocol protocol, Transports transports);

// The sockets that we were started with (take_inherited_count()). A socket with DAYTIME_PORT speaks
// that protocol, all others the Time Protocol. Throws Error for a descriptor that is not such a
// socket.
[[nodiscard]] std::vector<TimeSocket>
inherited_time_sockets(std::optional<std::uint16_t> daytime_port);

} // namespace ipcbox::clocks
