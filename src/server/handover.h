// What a server hands over to its next image when it executes itself anew (SIGHUP): the listening
// sockets, so that no client is refused meanwhile, and the children, which stay ours. It travels
// in a memory file (memfd_create(2)) whose number stands in the environment.
#pragma once

#include "core/signals.h"
#include "net/listener.h"
#include "server/served_children.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::server {

// The program that we are and its arguments, as they were given to execve(2). The path leads to a
// newer program when that has taken our place since.
struct OwnCommand {
    std::string program;
    std::vector<std::string> arguments;
};
// At the start: later the path may say "(deleted)". Throws SysError.
[[nodiscard]] OwnCommand own_command();

struct ServerState {
    std::vector<net::Listener> listeners;
    std::vector<ServedChild> children;

    // What our former image left for us; nothing when we are the first. It also tells which signals
    // our children are to start with blocked, because all of ours stay blocked across the exec:
    // none is lost, and none ends us between two images. Call it before anything blocks signals or
    // opens files. Throws Error.
    [[nodiscard]] static std::optional<ServerState> take_over(net::ListenerKind kind);

    // Executes our next image. It comes back only if that failed, by throwing Error, and then all
    // is as before.
    [[noreturn]] static void hand_over(const OwnCommand& next,
                                       const std::vector<net::Listener>& listeners,
                                       ServedChildren& children);
};

} // namespace ipcbox::server
