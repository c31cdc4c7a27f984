// The proxy through which a client connects, like curl's -x: SOCKS5, or HTTP with CONNECT.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"
#include "http/proxy_choice.h"
#include "net/address.h"
#include "net/resolve.h"

#include <string_view>

namespace ipcbox::front {

struct ClientProxy {
    enum class Kind {
        http,    // http://: CONNECT
        socks5,  // socks5://: we look up the target's name
        socks5h, // socks5h://: the proxy does
    };
    Kind kind = Kind::http;
    http::Proxy proxy;

    // "socks5h://user:password@host:1080", "http://host:3128", "host:3128" (HTTP). The port is 1080
    // when there is none. Throws std::invalid_argument.
    [[nodiscard]] static ClientProxy parse(std::string_view text);
};

// Asks PROXY, at the other end of SOCKET, for a connection to TARGET. It reads no byte of the
// target. FAMILY applies if we look up the target's name. Throws Unreachable when the proxy cannot
// reach the target, Error when it refuses or is not such a proxy, and TimedOut.
void connect_through(const ClientProxy& proxy, const Fd& socket, const net::HostPort& target,
                     net::Family family, Deadline deadline);

} // namespace ipcbox::front
