// catsock-server - run a program for each connection to a Unix socket
#include "front/server/command.h"

namespace ipcbox {
namespace {

int run(const Invocation& invocation) {
    return front::run_server(invocation,
                             {.listens = net::ListenerKind::unix_domain,
                              .service = front::ServerKind::Service::greeting_and_fortune,
                              .example = "catsock-server -m 660 -o :adm /run/uptime.sock -- uptime",
                              .example_text = "let the group adm see how busy the machine is"});
}

} // namespace

extern constexpr Applet catsock_server{"run a program for each connection to a Unix socket", run};

} // namespace ipcbox
