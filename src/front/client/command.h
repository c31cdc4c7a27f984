// What the clients have in common: their options, and what they do with a connection. A client says
// how to connect; the rest is here.
#pragma once

#include "cli/options.h"
#include "core/deadline.h"
#include "core/fd.h"
#include "net/relay.h"
#include "net/tls_process.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ipcbox::front {

struct ClientOptions {
    bool send = false;
    std::optional<Duration> connect_limit;
    bool retry = false;
    bool test_only = false;
    std::vector<std::string> wait_for;
    bool any = false;
    std::optional<Duration> idle_limit;
    std::optional<std::uint64_t> most_bytes;
    std::optional<std::string> output;
    bool raw = false;
    bool timing = false;
    bool json = false;
    std::vector<std::string> command;
    cli::Verbosity verbosity;
};

// The options of both. TARGET is what the help calls where to connect, and PARSE_TARGET checks it.
void declare(cli::Options& options, ClientOptions& into, std::string_view target,
             const std::function<std::string(std::string_view)>& parse_target);

// Parses the line. Throws UsageError, also for what does not go together.
void parse(cli::Options& options, ClientOptions& into);

// A connection to TARGET.
struct Connection {
    Fd socket;
    std::string address;
    Deadline::Clock::time_point resolved;    // when its addresses were known
    std::optional<net::TlsProcess> tls = {}; // then it has the socket
    net::RelayOptions::RequestEnd request_end = net::RelayOptions::RequestEnd::told;

    [[nodiscard]] net::RelayEnd end(std::string_view name) const {
        if (!tls) return net::RelayEnd::socket(socket.get(), name);
        return {tls->in(), tls->out(), name, name, net::RelayEnd::Ownership::ours};
    }
};
// Throws Unreachable, TimedOut, Error.
using Connect = std::function<Connection(const std::string& target, Deadline deadline)>;

// Does what the options ask for; returns the exit status.
[[nodiscard]] int run_client(const ClientOptions& options, const std::string& target,
                             const Connect& connect);

} // namespace ipcbox::front
