#include "front/client/tcp_way.h"

#include "core/error.h"
#include "net/connect.h"
#include "net/proxy_line.h"
#include "net/socket_io.h"
#include "net/socket_options.h"
#include "net/unreachable.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

namespace ipcbox::front {

namespace {

// tcp(7)
void set_keepalive(const Fd& socket, std::chrono::seconds time) {
    const auto seconds = static_cast<int>(time.count());
    if (net::set_socket_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1) < 0 ||
        net::set_socket_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, seconds) < 0 ||
        net::set_socket_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, seconds) < 0)
        throw SysError("set", "--keepalive-time");
}

void send_proxy_line(const TcpWay& way, const Fd& socket, Deadline deadline) {
    auto source = net::local_address(socket.get());
    if (way.client) {
        const auto port = source.port();
        source = *way.client;
        source.set_port(port);
    }
    net::send_all(socket, net::proxy_line(source, net::peer_address(socket.get())), "the server",
                  deadline);
}

} // namespace

Reached reach_tcp(const TcpWay& way, const std::string& target, Deadline deadline) {
    const auto place = net::HostPort::parse(target);
    const auto first =
        way.proxy ? net::HostPort{way.proxy->proxy.host, way.proxy->proxy.port} : place;
    const auto addresses = net::resolve(first.host, first.port, way.family, deadline);
    Reached server;
    server.resolved = Deadline::Clock::now();
    Fd socket = net::connect_tcp(addresses, first.text(), way.source, deadline);
    server.address = net::peer_address(socket.get()).text();
    if (way.keepalive) set_keepalive(socket, *way.keepalive);
    if (way.proxy) connect_through(*way.proxy, socket, place, way.family, deadline);
    if (way.sends_proxy_line) send_proxy_line(way, socket, deadline);
    if (way.speaks_tls) {
        auto options = way.tls;
        if (options.name.empty()) options.name = place.host;
        server.tls.emplace(std::move(socket), options, deadline);
        server.tls_text = server.tls->description();
        // When we announce our end, the peer has to drop the rest of its data (RFC 5246, 7.2.1).
        // RFC 8446 changed that only for TLS 1.3.
        if (!way.half_close) server.request_end = net::RelayOptions::RequestEnd::kept_back;
    }
    server.socket = std::move(socket);
    return server;
}

} // namespace ipcbox::front
