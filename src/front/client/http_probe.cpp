#include "front/client/http_probe.h"

#include "http/connection.h"
#include "net/unreachable.h"

#include <fmt/core.h>
#include <memory>

namespace ipcbox::front {

namespace {

std::unique_ptr<http::Connection> connection_to(Reached& server) {
    if (!server.tls) return std::make_unique<http::Connection>(std::move(server.socket));
    return std::make_unique<http::Connection>(
        std::make_unique<net::TlsProcess>(std::move(*server.tls)));
}

} // namespace

void expect_http_answer(Reached& server, const std::string& target, const std::string& path,
                        Deadline deadline) {
    // A Unix socket has no host name, but RFC 9112 (3.2) requires the field.
    const auto host = target.starts_with('/') || target.starts_with('.') || target.starts_with('@')
                          ? std::string{"localhost"}
                          : target;
    constexpr int first_error = 400; // as for curl -f
    try {
        const auto connection = connection_to(server);
        connection->send(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: ipcbox\r\n"
                                     "Accept: */*\r\nConnection: close\r\n\r\n",
                                     path, host));
        const auto head = connection->read_head(http::ResponseParser::Asked::document, deadline);
        if (head.status >= first_error)
            throw net::Unreachable(
                fmt::format("{} answers GET {} with the status {}", target, path, head.status));
    } catch (const http::ConnectionLost& lost) {
        throw net::Unreachable(fmt::format("{}: {}", target, lost.what()));
    } catch (const http::TransferError& error) { // the status is that of curl
        throw Error(fmt::format("{}: {}", target, error.what()));
    }
}

} // namespace ipcbox::front
