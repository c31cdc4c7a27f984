// command-server - offer clients a fixed set of commands
#include "front/server/command.h"
#include "front/server/command_service.h"
#include "front/server/command_session.h"

namespace ipcbox {
namespace {

int run(const Invocation& invocation) {
    if (front::is_command_session(invocation.arguments))
        return front::run_command_session(invocation.arguments);
    front::CommandService service{invocation.name};
    return front::run_server(
        invocation, {.listens = net::ListenerKind::tcp,
                     .own = &service,
                     .example = "command-server 9000 --command 'disk=df -h {1:/\\/[a-z]*/}'",
                     .example_text = "let local clients ask how full a disk is"});
}

} // namespace

extern constexpr Applet command_server{"offer clients a fixed set of commands", run};

} // namespace ipcbox
