#include "http/route.h"

#include "core/ascii.h"
#include "core/service.h"
#include "core/words.h"
#include "http/request.h"
#include "net/connect.h"
#include "net/socks.h"
#include "net/unreachable.h"

#include <algorithm>
#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::http {

namespace {

using Clock = Deadline::Clock;

// The parts between colons, except colons within brackets: "[::1]:80:example.com:". In lower case,
// like the host of a URL.
std::vector<std::string> parts_of(std::string_view text) {
    std::vector<std::string> parts(1);
    bool bracketed = false;
    for (const char byte : text)
        if (byte == '[' || byte == ']')
            bracketed = byte == '[';
        else if (byte == ':' && !bracketed)
            parts.emplace_back();
        else
            parts.back() += ascii::lower(byte);
    return parts;
}

std::uint16_t port_of(const std::string& text) {
    const auto port = service_port(text);
    if (!port || *port == 0) throw std::invalid_argument("expected a port, from 1 to 65535");
    return *port;
}

std::optional<std::uint16_t> optional_port_of(const std::string& text) {
    if (text.empty()) return std::nullopt;
    return port_of(text);
}

[[noreturn]] void fail(const std::string& message, int status) {
    throw TransferError(message, status);
}

std::vector<net::Address> addresses_of(const net::HostPort& place, const RouteOptions& options,
                                       int unknown_status, Deadline deadline) {
    // As in curl, the last word about a host counts, and says more than one about all hosts.
    for (const std::string_view host : {std::string_view{place.host}, std::string_view{"*"}}) {
        const auto known = std::find_if(
            options.known.rbegin(), options.known.rend(),
            [&](const KnownAddress& one) { return one.host == host && one.port == place.port; });
        if (known != options.known.rend() && !known->addresses.empty()) return known->addresses;
    }
    try {
        return net::resolve(place.host, place.port, options.family, deadline);
    } catch (const net::Unreachable& unreachable) {
        fail(unreachable.what(), unknown_status);
    }
}

// Nothing when the diversions do not concern PLACE.
std::optional<Url> diverted(Url place, const std::vector<Diversion>& diversions) {
    const auto found = std::ranges::find_if(diversions, [&](const Diversion& diversion) {
        return (diversion.from_host.empty() || diversion.from_host == place.host) &&
               diversion.from_port.value_or(place.port) == place.port;
    });
    if (found == diversions.end()) return std::nullopt;
    if (!found->to_host.empty()) place.host = found->to_host;
    place.port = found->to_port.value_or(place.port);
    return place;
}

Fd open_socket(const Route& route, const RouteOptions& options, Milestones& milestones,
               Deadline deadline) {
    try {
        if (options.unix_socket) {
            Fd socket = net::connect_unix(net::Address::unix_path(*options.unix_socket), deadline);
            milestones.resolved = milestones.connected = Clock::now();
            return socket;
        }
        const auto place = route.proxy ? net::HostPort{route.proxy->host, route.proxy->port}
                                       : net::HostPort{route.place().host, route.place().port};
        const auto addresses = addresses_of(
            place, options, route.proxy ? status::cannot_resolve_proxy : status::cannot_resolve,
            deadline);
        milestones.resolved = Clock::now();
        Fd socket = net::connect_tcp(addresses, place.text(), std::nullopt, deadline);
        milestones.connected = Clock::now();
        return socket;
    } catch (const net::Unreachable& unreachable) {
        fail(unreachable.what(), status::cannot_connect);
    } catch (const SysError& error) {
        fail(error.what(), status::cannot_connect);
    }
}

// RFC 9110, section 9.3.6: after the head of the proxy's answer, all bytes come from the server.
Fd tunnel(Fd socket, const Route& route, const RouteOptions& options, Milestones& milestones,
          Deadline deadline) {
    Connection proxy{std::move(socket)};
    proxy.send(tunnel_head(route.place(), options.user_agent, route.proxy->credentials));
    const auto place = fmt::format("the proxy {}:{}", route.proxy->host, route.proxy->port);
    ResponseHead head;
    try {
        head = proxy.read_head(ResponseParser::Asked::tunnel, deadline);
    } catch (const ConnectionLost& lost) {
        throw ConnectionLost(fmt::format("{} gives no tunnel: {}", place, lost.what()),
                             status::cannot_receive, Begun::not_even_asked);
    } catch (const ProtocolError& error) {
        fail(fmt::format("{} gives no tunnel: {}", place, error.what()), status::cannot_receive);
    }
    if (head.status / 100 != 2)
        throw TunnelRefused(
            fmt::format("{} refuses a tunnel: {} {}", place, head.status, head.reason),
            head.status);
    milestones.tunnel = head.status;
    return proxy.release();
}

// After the answer of a SOCKS proxy, too, all bytes come from the server.
void pass_socks(const Fd& socket, const Route& route, const RouteOptions& options,
                Deadline deadline) {
    const auto& proxy = *route.proxy;
    net::HostPort target{route.place().host, route.place().port};
    if (proxy.kind == Proxy::Kind::socks5)
        target.host =
            addresses_of(target, options, status::cannot_resolve, deadline).front().host();
    std::optional<net::SocksLogin> login;
    if (proxy.credentials) login = {proxy.credentials->user, proxy.credentials->password};
    try {
        net::connect_through_socks5(socket, target, login, deadline);
    } catch (const net::SocksError& error) {
        fail(error.what(), status::proxy_refused);
    } catch (const net::Unreachable& error) {
        fail(error.what(), status::proxy_refused);
    }
}

} // namespace

KnownAddress KnownAddress::parse(std::string_view text) {
    // A + limits how long curl remembers the addresses; both of us end before that.
    if (text.starts_with('+')) text.remove_prefix(1);
    const bool forgets = text.starts_with('-');
    if (forgets) text.remove_prefix(1);
    // The addresses can contain colons, without brackets.
    const auto first = text.find(':', text.starts_with('[') ? text.find(']') : 0);
    const auto second = first == std::string_view::npos ? first : text.find(':', first + 1);
    if (forgets ? first == std::string_view::npos : second == std::string_view::npos)
        throw std::invalid_argument("expected HOST:PORT:ADDRESS[,ADDRESS...]");
    KnownAddress known;
    known.host = parts_of(text.substr(0, first)).front();
    known.port = port_of(std::string{text.substr(first + 1, second - first - 1)});
    if (forgets) return known;
    for (auto rest = text.substr(second + 1); !rest.empty();) {
        auto one = take_until(rest, ',');
        if (one.starts_with('[') && one.ends_with(']')) one = one.substr(1, one.size() - 2);
        const auto address = net::Address::parse_ip(one, known.port);
        if (!address) throw std::invalid_argument("expected numeric addresses");
        known.addresses.push_back(*address);
    }
    if (known.addresses.empty()) throw std::invalid_argument("expected an address");
    return known;
}

Diversion Diversion::parse(std::string_view text) {
    const auto parts = parts_of(text);
    if (parts.size() != 4) throw std::invalid_argument("expected HOST1:PORT1:HOST2:PORT2");
    return {parts[0], optional_port_of(parts[1]), parts[2], optional_port_of(parts[3])};
}

std::string Route::key() const {
    const auto through = proxy ? fmt::format("{}:{} ", proxy->host, proxy->port) : std::string{};
    // A proxy that forwards takes requests for every server on the same connection.
    if (forwards()) return through;
    // authority() would not do: it leaves out the interface.
    return fmt::format("{}{}://{}:{}", through, origin.scheme, origin.host, origin.port);
}

Route route_to(const Url& url, const RouteOptions& options) {
    Route route{url, std::nullopt, diverted(url, options.diversions)};
    if (!options.unix_socket && options.proxy) route.proxy = options.proxy(url);
    // A proxy that forwards would connect to the host in the URL.
    if (route.proxy && route.other) route.proxy->tunnels_all = true;
    return route;
}

std::unique_ptr<Connection> open(const Route& route, const RouteOptions& options,
                                 Milestones& milestones, Deadline deadline) {
    const auto limit = std::min(deadline, Deadline::after_or_never(options.connect_limit));
    Fd socket = open_socket(route, options, milestones, limit);
    if (route.proxy && route.proxy->kind != Proxy::Kind::http)
        pass_socks(socket, route, options, limit);
    else if (route.proxy && !route.forwards())
        socket = tunnel(std::move(socket), route, options, milestones, limit);
    if (!route.origin.is_https()) {
        milestones.secured = milestones.connected;
        return std::make_unique<Connection>(std::move(socket));
    }
    auto tls = options.tls;
    if (tls.name.empty()) tls.name = route.origin.host;
    auto ends = Connection::ends_of(socket);
    try {
        auto process = std::make_unique<net::TlsProcess>(std::move(socket), tls, limit);
        milestones.secured = Clock::now();
        return std::make_unique<Connection>(std::move(process), std::move(ends));
    } catch (const net::TlsError& error) {
        if (!error.is_lost()) throw;
        throw ConnectionLost(error.what(), error.curl_status(), Begun::not_even_asked);
    }
}

} // namespace ipcbox::http
