// Reads the header of the PROXY protocol, version 1 (a line of text) or 2 (binary): haproxy's
// doc/proxy-protocol.txt, sections 2.1 and 2.2. A proxy in front of us sends it first, to name its
// client. Anybody who can connect can forge such a header, so expect one only from peers that are
// known to be proxies.
#pragma once

#include "net/address.h"

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace ipcbox::server {

struct ProxyHeader {
    // The longest header that we accept, as HAProxy does: a client's certificate can be in it. A
    // line of version 1 has at most 107 bytes.
    static constexpr std::size_t max_bytes = 16UL * 1024;

    enum class State { needs_more, bad, complete };
    State state = State::needs_more;
    std::string_view reason; // of a bad header: "expected …"
    std::size_t length = 0;  // of a complete header; the client's own bytes follow it
    // The proxy opened the connection for itself (LOCAL), for example to check our health.
    bool is_from_proxy_itself = false;
    // The client's address, and the address that it connected to. Both are empty when the proxy
    // speaks for itself or does not know the client (UNKNOWN, UNSPEC).
    std::optional<net::Address> source;
    std::optional<net::Address> destination;

    // Parses BYTES, the first bytes of a connection. More bytes never change the verdict "bad" or
    // "complete", and max_bytes always suffice for one of these two.
    [[nodiscard]] static ProxyHeader parse(std::span<const std::byte> bytes);
};

} // namespace ipcbox::server
