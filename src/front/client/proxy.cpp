#include "front/client/proxy.h"

#include "core/error.h"
#include "core/poll.h"
#include "core/syscall.h"
#include "http/failure.h"
#include "http/request.h"
#include "http/response_parser.h"
#include "net/socket_io.h"
#include "net/socks.h"
#include "net/unreachable.h"

#include <array>
#include <fmt/core.h>
#include <sys/socket.h>

namespace ipcbox::front {

namespace {

constexpr std::string_view object = "the HTTP proxy";

// Reads the head of the answer to CONNECT, and not one byte more: all others are from the target.
http::ResponseHead read_tunnel_head(const Fd& socket, const std::string& route, Deadline deadline) {
    http::ResponseParser parser{http::ResponseParser::Asked::tunnel};
    std::string head;
    while (!parser.has_head()) {
        if (!wait_for(socket.get(), POLLIN, deadline)) throw TimedOut("connecting to " + route);
        std::array<char, 4096> buffer{};
        const auto look = [&](std::size_t size, int flags) {
            const ssize_t got =
                sys::call("recv", ::recv, socket.get(), static_cast<void*>(buffer.data()), size,
                          flags | MSG_DONTWAIT);
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::size_t{0};
            if (got < 0)
                throw net::Unreachable(
                    fmt::format("cannot connect to {}: {}", route, error_text(errno)));
            if (got == 0)
                throw net::Unreachable(
                    fmt::format("cannot connect to {}: the proxy closed the connection", route));
            return static_cast<std::size_t>(got);
        };
        // We see more bytes than the head has. Take only those of the head.
        const auto seen = look(buffer.size(), MSG_PEEK);
        const auto before = head.size();
        head.append(buffer.data(), seen);
        const auto used = parser.parse_head(head);
        const auto belongs = parser.has_head() ? used - std::min(used, before) : seen;
        head.resize(before + belongs);
        if (!parser.has_head()) head.erase(0, used); // an interim response
        for (auto left = belongs; left > 0;)
            left -= look(left, 0);
    }
    return std::move(parser.head());
}

void connect_through_http(const http::Proxy& proxy, const Fd& socket, const net::HostPort& target,
                          Deadline deadline) {
    const auto route = fmt::format("{} through {}", target.text(), object);
    http::Url url;
    url.host = target.host;
    url.port = target.port;
    try {
        net::send_all(socket, http::tunnel_head(url, "ipcbox", proxy.credentials), object,
                      deadline);
        const auto head = read_tunnel_head(socket, route, deadline);
        if (head.status / 100 == 2) return;
        const auto answer =
            fmt::format("cannot connect to {}: it answers {} {}", route, head.status, head.reason);
        // With a 5xx, the proxy says that it cannot reach the target.
        if (head.status / 100 == 5) throw net::Unreachable(answer);
        throw Error(answer);
    } catch (const SysError& error) {
        throw net::Unreachable(
            fmt::format("cannot connect to {}: {}", route, error_text(error.error())));
    } catch (const http::TransferError& error) { // the status is that of curl
        throw Error(fmt::format("cannot connect to {}: {}", route, error.what()));
    }
}

} // namespace

ClientProxy ClientProxy::parse(std::string_view text) {
    ClientProxy parsed;
    for (const auto& [scheme, kind] :
         {std::pair{"socks5://", Kind::socks5}, std::pair{"socks5h://", Kind::socks5h}})
        if (text.starts_with(scheme)) {
            parsed.kind = kind;
            text.remove_prefix(std::string_view{scheme}.size());
        }
    if (parsed.kind != Kind::http && text.find("://") != std::string_view::npos)
        throw std::invalid_argument("expected one scheme");
    parsed.proxy = http::parse_proxy(text);
    return parsed;
}

void connect_through(const ClientProxy& proxy, const Fd& socket, const net::HostPort& target,
                     net::Family family, Deadline deadline) {
    if (proxy.kind == ClientProxy::Kind::http)
        return connect_through_http(proxy.proxy, socket, target, deadline);
    std::optional<net::SocksLogin> login;
    if (const auto& credentials = proxy.proxy.credentials)
        login = net::SocksLogin{credentials->user, credentials->password};
    auto wanted = target;
    if (proxy.kind == ClientProxy::Kind::socks5)
        wanted.host = net::resolve(target.host, target.port, family, deadline).front().host();
    net::connect_through_socks5(socket, wanted, login, deadline);
}

} // namespace ipcbox::front
