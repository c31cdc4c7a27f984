// TLS for a program that serves one connection, as a UCSPI server starts it:
//
//     ipcbox-tls serve certificate=PATH [key=FILE] [client-ca=FILE] [handshake=MILLISECONDS]
//                program=PATH -- NAME [ARGUMENT...]
//
// Standard input and output are the connected socket. A process of its own, which strangers cannot
// use for anything else (tls/sandbox.h), shakes hands and then speaks TLS for the program; we
// become the program, with plain bytes on its standard input and output. So the pid and the status
// are the program's own, and both processes are in the group that the server leads.
#pragma once

#include "tls/server.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ipcbox::tls {

struct ServePlan {
    ServerConfig config;
    std::optional<long> handshake_ms; // how long the handshake may take
    std::string program;
    std::vector<std::string> words; // the program's name and its arguments
};

// Comes back only by throwing: Error when there is no handshake, with status 124 when it takes too
// long, and when the program cannot be executed.
[[noreturn]] void serve(const ServePlan& plan);

} // namespace ipcbox::tls
