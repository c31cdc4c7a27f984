// What a server hands over to its next image when it executes itself anew (SIGHUP): the listening
// sockets, so that no client is refused meanwhile, and its connections in every stage, whose
// processes stay ours. It travels in a memory file (memfd_create(2)) whose number stands in the
// environment.
#pragma once

#include "core/signals.h"
#include "net/listener.h"
#include "server/server.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::server {

// The path that we were executed by and our arguments, as they were given to execve(2). The path
// leads to a newer program when that has taken our place since, or when a symbolic link in it was
// changed.
struct OwnCommand {
    std::string program;
    std::vector<std::string> arguments;
    std::string file; // which that path led to, for a user who may not walk the path
};
// At the start, in the working directory in which we were started. Throws SysError.
[[nodiscard]] OwnCommand own_command();

struct Handover {
    std::vector<net::Listener> listeners;
    Inheritance connections; // whose places Server::resume() takes up again
    std::string unwritten;   // lines for standard output that its reader has not taken

    // What our former image left for us; nothing when we are the first. It also tells which signals
    // our children are to start with blocked, because all of ours stay blocked across the exec:
    // none is lost, and none ends us between two images. Call it before anything blocks signals or
    // opens files. Throws Error.
    [[nodiscard]] static std::optional<Handover> take_over(net::ListenerKind kind);

    // Executes our next image. It comes back only if that failed, by throwing Error, and then all
    // is as before. UNWRITTEN goes to the next image's standard output.
    [[noreturn]] static void hand_over(const OwnCommand& next,
                                       const std::vector<net::Listener>& listeners, Server& server,
                                       const std::string& unwritten);
};

} // namespace ipcbox::server
