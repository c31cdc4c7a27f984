// tcp-server - serve one TCP client at a time
#include "front/server/command.h"

namespace ipcbox {
namespace {

int run(const Invocation& invocation) {
    return front::run_server(invocation, {.listens = net::ListenerKind::tcp,
                                          .connections = 1,
                                          .service = front::ServerKind::Service::greeting,
                                          .example = "tcp-server --once localhost:2345 -- cat file",
                                          .example_text = "send a file to the first client"});
}

} // namespace

extern constexpr Applet tcp_server{"serve one TCP client at a time", run};

} // namespace ipcbox
