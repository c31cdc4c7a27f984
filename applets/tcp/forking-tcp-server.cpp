// forking-tcp-server - run a program for each TCP connection
#include "front/server/command.h"

namespace ipcbox {
namespace {

int run(const Invocation& invocation) {
    return front::run_server(invocation,
                             {.listens = net::ListenerKind::tcp,
                              .service = front::ServerKind::Service::greeting_and_fortune,
                              .example = "forking-tcp-server -c 20 localhost:7 -- cat",
                              .example_text = "offer an echo service to this machine"});
}

} // namespace

extern constexpr Applet forking_tcp_server{"run a program for each TCP connection", run};

} // namespace ipcbox
