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

// The moments at which the steps of a request were reached. When the connection was there already,
// its own moments are those of the start. And the status with which a proxy has just given a
// tunnel; 0: none was asked.
struct Milestones {
    using Time = Deadline::Clock::time_point;
    Time start{};
    Time resolved{};
    Time connected{};
    Time secured{};
    Time first_byte{};
    int tunnel = 0;
};

// --resolve HOST:PORT:ADDRESS,…: these are HOST's addresses. "-HOST:PORT" has none: it revokes what
// was said before.
struct KnownAddress {
    std::string host;
    std::uint16_t port = 0;
    std::vector<net::Address> addresses;
    [[nodiscard]] static KnownAddress parse(std::string_view text);
};

// --connect-to HOST:PORT:OTHER:PORT: requests for HOST go to OTHER. An empty HOST or PORT matches
// any; an empty OTHER or PORT keeps the requested one.
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
    std::string user_agent; // sent to the proxy with the request for a tunnel
    net::TlsOptions tls;
};

struct Route {
    Url origin;
    std::optional<Proxy> proxy;
    std::optional<Url> other{}; // the host and port of --connect-to, with the rest of the origin

    // Where the connection leads.
    [[nodiscard]] const Url& place() const { return other ? *other : origin; }

    // Whether there is a proxy that gets whole URLs. If not, it is asked for a tunnel, or there is
    // none.
    [[nodiscard]] bool forwards() const {
        return proxy && proxy->kind == Proxy::Kind::http && !proxy->tunnels_all &&
               !origin.is_https();
    }
    // Requests with the same key can use the same connection.
    [[nodiscard]] std::string key() const;
};

[[nodiscard]] Route route_to(const Url& url, const RouteOptions& options);

// Connects by ROUTE. Throws TransferError with curl's status for the step that failed, and the
// reason.
[[nodiscard]] std::unique_ptr<Connection> open(const Route& route, const RouteOptions& options,
                                               Milestones& milestones, Deadline deadline);

} // namespace ipcbox::http
