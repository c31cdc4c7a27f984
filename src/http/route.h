// The way to a server: straight or through a proxy, by TCP or a Unix socket, in the clear or by
// TLS.
#pragma once

#include "core/deadline.h"
#include "http/connection.h"
#include "http/proxy_choice.h"
#include "http/url.h"
#include "net/address.h"
#include "net/resolve.h"
#include "net/tls_process.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ipcbox::http {

// When what has been reached; the moments of a connection that was there already are its start.
struct Milestones {
    using Time = Deadline::Clock::time_point;
    Time start{};
    Time resolved{};
    Time connected{};
    Time secured{};
    Time first_byte{};
};

// --resolve HOST:PORT:ADDRESS,…: these are HOST's addresses.
struct KnownAddress {
    std::string host;
    std::uint16_t port = 0;
    std::vector<net::Address> addresses;
    [[nodiscard]] static KnownAddress parse(std::string_view text);
};

// --connect-to HOST:PORT:OTHER:PORT: who asks for the one is connected to the other. What is empty
// is any, or the same.
struct Diversion {
    std::string from_host;
    std::optional<std::uint16_t> from_port;
    std::string to_host;
    std::optional<std::uint16_t> to_port;
    [[nodiscard]] static Diversion parse(std::string_view text);
};

struct RouteOptions {
    net::Family family = net::Family::any;
    std::optional<Duration> connect_limit;
    std::optional<std::string> unix_socket;
    std::vector<KnownAddress> known;
    std::vector<Diversion> diversions;
    std::function<std::optional<Proxy>(const Url&)> proxy; // may be empty
    std::string user_agent;                                // a tunnel's proxy is told it
    net::TlsOptions tls;
};

struct Route {
    Url origin;
    std::optional<Proxy> proxy;

    // The proxy is told whole URLs; otherwise it is asked for a tunnel, or not there.
    [[nodiscard]] bool forwards() const {
        return proxy && proxy->kind == Proxy::Kind::http && !proxy->tunnels_all &&
               !origin.is_https();
    }
    // Who goes the same way can use the same connection.
    [[nodiscard]] std::string key() const;
};

[[nodiscard]] Route route_to(const Url& url, const RouteOptions& options);

// Goes that way. Throws TransferError with curl's status: which step failed, and why.
[[nodiscard]] std::unique_ptr<Connection> open(const Route& route, const RouteOptions& options,
                                               Milestones& milestones, Deadline deadline);

} // namespace ipcbox::http
