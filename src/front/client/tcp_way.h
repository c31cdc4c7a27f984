// The way of tcp-client to a server: directly or through a proxy, with or without TLS.
#pragma once

#include "front/client/proxy.h"
#include "front/client/reached.h"
#include "net/resolve.h"

#include <optional>
#include <string>

namespace ipcbox::front {

struct TcpWay {
    net::Family family = net::Family::any;
    std::optional<net::Address> source;
    std::optional<std::chrono::seconds> keepalive; // the silence before each probe
    std::optional<ClientProxy> proxy;
    bool sends_proxy_line = false;
    std::optional<net::Address> client; // for the PROXY line, instead of our own address
    bool speaks_tls = false;
    bool half_close = false; // over TLS
    net::TlsOptions tls;
};

// TARGET is a HostPort's text. Throws as Connect does.
[[nodiscard]] Reached reach_tcp(const TcpWay& way, const std::string& target, Deadline deadline);

} // namespace ipcbox::front
