// What a server is asked to do: its program, its limits, and the lines that it sends itself.
#pragma once

#include "server/access.h"
#include "server/served_children.h"
#include "server/starter.h"

#include <functional>
#include <optional>
#include <string>

namespace ipcbox::server {

struct ServerConfig {
    ProgramPlan program; // without one the greeting is all that a client gets
    // Sent to a client first, if there is one.
    std::function<std::string(const Connection&)> greeting;

    int loops = 1;
    Admission::Limits admission;
    // Sent to a client for which there is no place; without it the client waits in the backlog.
    std::optional<std::string> over;
    Access::Limits access;
    // How long a PROXY header may take; without it none is expected.
    std::optional<Duration> proxy_patience;
    bool look_up_names = false;

    ServedChildren::Limits limits;
    Duration grace = std::chrono::seconds{30}; // for connections, when the server is to end
    // The server ends by itself after this time without a connection.
    std::optional<Duration> exit_idle_time;
    bool count_traffic = false;
    // How often ServerEvents::alive() is called; never without it.
    std::optional<Duration> heartbeat;
};

} // namespace ipcbox::server
