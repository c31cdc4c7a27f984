// pty-expect - answer the prompts of a program from a script
#include "applet.h"
#include "cli/output.h"
#include "core/terminal.h"
#include "front/client/tcp_way.h"
#include "front/expect/options.h"
#include "front/expect/run.h"
#include "front/run_command.h"
#include "net/connect.h"

#include <unistd.h>

namespace ipcbox {
namespace {

using Config = front::ExpectOptions;

void print_plan(const expect::Script& script) {
    for (const auto& statement : script.statements)
        cli::print_line("{}: {}", statement.at.line, cli::visible(statement.source));
}

int talk(const Config& config, const front::Command& command) {
    front::keep_descriptors_to_us(config.script);
    const auto echo = config.shows_input ? dialog::Echo::on : dialog::Echo::off;
    return front::run_expect(
        config, {command.program(), command.words(), terminal_size(STDOUT_FILENO), echo});
}

dialog::Peer reach(const Config& config) {
    const auto deadline = Deadline::after(config.limit);
    if (config.tcp) return {front::reach_tcp({}, *config.tcp, deadline).socket, *config.tcp};
    return {net::connect_unix(net::Address::unix_path(*config.path), deadline), *config.path};
}

int run(const Invocation& invocation) {
    const auto config = front::parse_expect_options(invocation);
    if (config.work == Config::Work::plan) print_plan(config.script);
    if (config.work != Config::Work::talk) return exit_status::done;
    if (config.command.empty()) return front::run_expect(config, reach(config));
    return front::run_command(
        config.command, [&config](const front::Command& command) { return talk(config, command); });
}

} // namespace

extern constexpr Applet pty_expect{"answer the prompts of a program from a script", run};

} // namespace ipcbox
