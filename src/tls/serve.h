// TLS for a program that serves one connection, as a UCSPI server starts it:
//
//     ipcbox-tls serve certificate=PATH [key=FILE] [client-ca=FILE] [handshake=MILLISECONDS]
//                program=PATH -- NAME [ARGUMENT...]
//
// Standard input and output are the connected socket. A sandboxed process of its own
// (tls/sandbox.h) shakes hands and then speaks TLS for the program. We become the program, with
// plain bytes on its standard input and output. So the pid and the status are the program's own,
// and both processes are in the process group of the program.
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

// Returns only by throwing an Error: when the handshake fails, with status 124 if it takes too
// long, or when the program cannot be executed.
[[noreturn]] void serve(const ServePlan& plan);

} // namespace ipcbox::tls
