// pty-run - run a command on a terminal of its own
#include "applet.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/number.h"
#include "front/terminal_run.h"

#include <algorithm>
#include <stdexcept>
#include <unistd.h>

namespace ipcbox {
namespace {

using dialog::PtyRelayPlan;

struct Config {
    PtyRelayPlan plan;
    cli::Verbosity verbosity;
    std::vector<std::string> command;
};

TerminalSize parse_terminal_size(std::string_view text) {
    constexpr unsigned short max = 9999;
    const auto cross = std::min(text.find('x'), text.size());
    const auto columns = whole_number<unsigned short>(text.substr(0, cross));
    const auto rows = whole_number<unsigned short>(text.substr(std::min(cross + 1, text.size())));
    if (!columns || !rows || *columns == 0 || *rows == 0 || *columns > max || *rows > max)
        throw std::invalid_argument("expected COLUMNSxROWS, such as 80x24");
    return {.rows = *rows, .columns = *columns};
}

Config parse(const Invocation& invocation) {
    Config config;
    bool pipeline = false;
    bool raw_output = false;
    cli::Options options{invocation, "[--] COMMAND [ARGUMENT...]"};
    options.command(config.command);
    options.flag("-p,--pipeline", pipeline,
                 "type standard input on the terminal, and then the end of the input");
    options.value("--size COLUMNSxROWS", config.plan.size, parse_terminal_size,
                  "the size of the terminal (default: that of your terminal, or 80x24)");
    options.flag("--echo", config.plan.shows_input,
                 "with -p: show the input on the terminal, as if a person typed it");
    options.flag("--raw-output", raw_output,
                 "end each line with CR LF, as a terminal does, even in a file or pipe");
    options.flag("--split-stderr", config.plan.splits_errors,
                 "do not send the command's standard error to the terminal");
    options.value("--log FILE", config.plan.log, cli::parse_file,
                  "copy the output of the command to FILE");
    options.value("--timing FILE", config.plan.timing, cli::parse_file,
                  "with --log: write the time of each piece of output to FILE, for scriptreplay");
    options.note(
        "Without a terminal, many commands buffer their output, leave out colours or refuse to ask "
        "for a password. pty-run gives them one. The status is that of the command.");
    options.example("pty-run -- ls --color=auto | less -R", "keep the colours in a pipe");
    options.example("pty-run -- ./slow | grep -m1 ready",
                    "see each line as soon as the command writes it");
    options.example("seq 3 | pty-run -p sort -r", "feed a command that reads only from a terminal");
    config.verbosity = options.parse();
    if (config.command.empty()) throw cli::UsageError("COMMAND is missing");
    if (config.plan.shows_input && !pipeline) throw cli::UsageError("--echo needs --pipeline");
    if (!config.plan.timing.empty() && config.plan.log.empty())
        throw cli::UsageError("--timing needs --log");
    if (pipeline && !cli::is_terminal(STDIN_FILENO))
        config.plan.input = PtyRelayPlan::Input::bytes;
    else if (cli::is_terminal(STDIN_FILENO))
        config.plan.input = PtyRelayPlan::Input::keys;
    if (raw_output || cli::is_terminal(STDOUT_FILENO))
        config.plan.line_feeds = PtyRelayPlan::LineFeeds::as_shown;
    return config;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    return front::run_command(config.command, [&config](const front::Command& command) {
        return front::run_on_terminal(config.plan, command);
    });
}

} // namespace

extern constexpr Applet pty_run{"run a command on a terminal of its own", run};

} // namespace ipcbox
