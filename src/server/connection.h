// A connection that a server has accepted, and how it ended.
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

// The time that a program has to end by itself when its connection must end.
constexpr std::chrono::seconds time_from_term_to_kill{5};

struct Connection {
    net::Address peer;
    net::Address local;
    // False when a proxy did not tell the client's address: then PEER is the proxy.
    bool is_peer_the_client = true;
    std::string peer_name; // by reverse lookup; empty when it is not known
    std::optional<net::PeerCredentials> credentials;
    Deadline::Clock::time_point started;
    pid_t pid = 0; // the child that serves it; 0 when there is none
    // How many connections the same client has, including this one. A client is an address, or a
    // user of a Unix socket.
    unsigned number = 1;
    std::size_t header_bytes = 0; // of the PROXY header, which the client did not send

    // The peer as messages name it: its name, its address, or the process behind a Unix socket.
    [[nodiscard]] std::string peer_text() const;
};

// A connection with everything that it holds until its end. The server moves it from the accept
// loop, past the entrance of --proxy-protocol, to the children.
struct OpenConnection {
    Connection told;
    Fd socket;                          // empty once the server needs it no more
    Place place;                        // given back with it
    std::vector<std::string> variables; // "NAME=VALUE", which a rule sets
};

// The bytes that the client sent, and the bytes that it received.
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

// Whether NAME is a variable that a UCSPI server (tcpserver, unixserver, s6's, sslserver or ours)
// sets for a connection. Such a variable in our own environment describes another connection.
[[nodiscard]] bool is_ucspi_name(std::string_view name);

} // namespace ipcbox::server
