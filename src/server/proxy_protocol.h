// The PROXY protocol, versions 1 (a line of text) and 2 (binary): what a proxy in front of us sends
// first, to tell who its client is. Specified in haproxy's doc/proxy-protocol.txt, sections 2.1 and
// 2.2. Whoever can connect can write such a header: it is to be asked for only of peers that are
// known to be proxies.
#pragma once

#include "net/address.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace ipcbox::server {

struct ProxyHeader {
    // More than any header that we take; a line of version 1 has 107 bytes at most.
    static constexpr std::size_t max_bytes = 4096;

    enum class State { needs_more, bad, complete };
    State state = State::needs_more;
    std::string_view reason; // when it is bad: "expected …"
    std::size_t length = 0;  // when it is complete: what the client sent begins behind it
    // The proxy opened the connection itself (LOCAL: a health check), for no client.
    bool is_from_proxy_itself = false;
    // The client and where it connected to. Neither is there when the proxy speaks for itself or
    // does not know the client (UNKNOWN, UNSPEC).
    std::optional<net::Address> source;
    std::optional<net::Address> destination;

    // What the first bytes of a connection are. Once it is bad or complete more bytes do not change
    // that; with max_bytes it never needs more.
    [[nodiscard]] static ProxyHeader parse(std::span<const std::byte> bytes);
};

} // namespace ipcbox::server
