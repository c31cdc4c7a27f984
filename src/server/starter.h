// How a connection gets its program: started directly, with the socket as its standard input and
// output, or through a process of ours that passes the bytes on (server/relayed_program.h).
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
    Environment environment; // what tells of the connection is stronger, and a rule is strongest
    std::vector<ResourceLimit> resource_limits;
    std::optional<int> nice;
    bool no_new_privileges = false;
    int kept = -1;                  // a descriptor of ours that it gets; -1: none
    std::optional<RelayPlan> relay; // how the connection passes through us; not all do
};

// Starts the program for CONNECTION as the leader of a process group. It is one attempt: either it
// throws SysError, and there is no process, or there is exactly one.
[[nodiscard]] Started start_program(const OpenConnection& connection, const ProgramPlan& plan);

} // namespace ipcbox::server
