// Starts the program of a connection: directly, with the socket as its standard input and output,
// or behind a process of ours that passes the bytes on (server/relayed_program.h).
#pragma once

#include "core/environment.h"
#include "core/spawn.h"
#include "server/connection.h"
#include "server/relayed_program.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::server {

struct ProgramPlan {
    std::string program; // empty: no program serves connections
    std::vector<std::string> arguments;
    Environment
        environment; // UCSPI variables override it, and the variables of a rule override both
    std::vector<ResourceLimit> resource_limits;
    std::optional<int> nice;
    bool no_new_privileges = false;
    int kept = -1;                  // a descriptor of ours that the program inherits; -1: none
    std::optional<RelayPlan> relay; // set when the connection passes through a process of ours
};

// Starts the program for CONNECTION as the leader of a process group, in one attempt. Either there
// is exactly one process, or this throws SysError and there is none.
[[nodiscard]] Started start_program(const OpenConnection& connection, const ProgramPlan& plan);

} // namespace ipcbox::server
