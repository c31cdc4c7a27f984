// A server that a client has reached, and how it is reached.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"
#include "net/relay.h"
#include "net/tls_process.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::front {

struct Reached {
    Fd socket;
    std::string address;
    Deadline::Clock::time_point resolved{};  // when its addresses were known
    std::optional<net::TlsProcess> tls = {}; // then it has the socket
    std::string tls_text = {};               // "TLSv1.3 TLS_AES_256_GCM_SHA384"; empty without TLS
    net::RelayOptions::RequestEnd request_end = net::RelayOptions::RequestEnd::told;

    [[nodiscard]] net::RelayEnd end(std::string_view name) const {
        if (!tls) return net::RelayEnd::socket(socket.get(), name);
        return {tls->in(), tls->out(), name, name, net::RelayEnd::Ownership::ours};
    }
};

// Connects to TARGET. Throws Unreachable when no server answers there, TlsError, TimedOut, Error.
using Connect = std::function<Reached(const std::string& target, Deadline deadline)>;

} // namespace ipcbox::front
