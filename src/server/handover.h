// Hands the state of a server over to its next image when it executes itself again (SIGHUP): the
// listening sockets, so that no client is refused meanwhile, and its connections in every stage,
// whose processes stay ours. The state travels in a memory file (memfd_create(2)) whose number
// stands in the environment.
#pragma once

#include "core/signals.h"
#include "net/listener.h"
#include "server/server.h"

#include <functional>
#include <string>
#include <vector>

namespace ipcbox::server {

// The path by which we were executed, and our arguments, as execve(2) got them. When a newer
// program was installed since, or a symbolic link was changed, the path leads to the newer program.
struct OwnCommand {
    std::string program; // empty when nothing tells it: only a restart needs it
    std::vector<std::string> arguments;
    std::string file; // the file that the path led to, for a user who may not walk the path
};
// At the start, in the working directory in which we were started. CALLED_AS is the applet with its
// arguments: our command line where there is no /proc. A restart then gets these words.
[[nodiscard]] OwnCommand own_command(std::vector<std::string> called_as);

class Handover {
  public:
    std::vector<net::Listener> listeners;
    Inheritance connections; // whose places Server::resume() takes up again
    std::string unwritten;   // lines for standard output that its reader has not taken

    // Takes what our former image left for us; nothing when we are the first. It includes the
    // signals that our children start with blocked. Our own signals all stay blocked across the
    // exec, so that none is lost and none ends us between two images. Call this before anything
    // blocks signals or opens files. Throws Error.
    void take_over();
    // Whether we have a former image, and the server has not started yet.
    [[nodiscard]] bool is_unfinished() const { return bool{state_}; }
    // The server has started: with this start, nothing can go wrong any more.
    void finish() { state_ = Fd{}; }
    // Nobody could go on with the connections if the lack of a moment ended us while
    // is_unfinished(). So this executes the server once more, after a pause. It returns when that
    // fails, or was tried often enough.
    void start_again(const OwnCommand& next, const std::function<void()>& report);

    // Executes our next image. When that fails it throws Error, and everything is as before. The
    // next image writes UNWRITTEN to its standard output.
    [[noreturn]] static void hand_over(const OwnCommand& next,
                                       const std::vector<net::Listener>& listeners, Server& server,
                                       const std::string& unwritten);

  private:
    Fd state_;
    int attempt_ = 1;
};

} // namespace ipcbox::server
