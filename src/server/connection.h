// A connection that a server has accepted, and what became of it.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"
#include "core/wait_status.h"
#include "net/address.h"
#include "net/peer_process.h"
#include "server/admission.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <utility>
#include <vector>

namespace ipcbox::server {

// What a program has to end itself, when its connection is to end.
constexpr std::chrono::seconds time_from_term_to_kill{5};

struct Connection {
    net::Address peer;
    net::Address local;
    // False when a proxy sent the client and did not say where it comes from: PEER is the proxy.
    bool is_peer_the_client = true;
    std::string peer_name; // by reverse lookup; empty when it is not known
    std::optional<net::PeerCredentials> credentials;
    Deadline::Clock::time_point started;
    pid_t pid = 0; // the child that serves it; 0 when there is none
    // How many connections the same client has, this one among them: the same address, or the same
    // user of a Unix socket.
    unsigned number = 1;
    std::size_t header_bytes = 0; // of the PROXY header, which the client did not send

    // What to call the peer: its name, its address, or the process behind a Unix socket.
    [[nodiscard]] std::string peer_text() const;
};

// A connection with all that it holds until its end. One of these travels through the server, from
// the accept loop (and the entrance of --proxy-protocol) to the children.
struct OpenConnection {
    Connection told;
    Fd socket;                          // empty once nothing more is asked of it
    Place place;                        // given back with it
    std::vector<std::string> variables; // "NAME=VALUE", which a rule sets
};

// Bytes that the client sent and that it got.
struct Traffic {
    std::uint64_t received = 0;
    std::uint64_t sent = 0;
};

struct ConnectionEnd {
    std::optional<WaitStatus> status; // of the child, if there was one
    std::optional<Traffic> traffic;   // where it is known
    Duration duration{};
};

// "NAME=VALUE" for the program that serves a connection, as UCSPI has it (TCPREMOTEIP and the like;
// for Unix sockets the names of both families of tools, UNIXREMOTEPID and IPCREMOTEPID).
[[nodiscard]] std::vector<std::string> ucspi_environment(const Connection& connection);

// Whether NAME is one that a UCSPI server (tcpserver, unixserver, s6's, sslserver or ours) sets for
// a connection: in the environment that we were started with it tells of another connection.
[[nodiscard]] bool is_ucspi_name(std::string_view name);

} // namespace ipcbox::server
