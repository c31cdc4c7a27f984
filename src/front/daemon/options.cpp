#include "front/daemon/options.h"

#include "cli/output.h"
#include "core/number.h"
#include "core/path.h"
#include "front/common_options.h"

#include <algorithm>
#include <csignal>
#include <limits>
#include <stdexcept>

namespace ipcbox::front {

namespace {

// Makes PATH absolute, because the daemon has another working directory.
std::string parse_path(std::string_view text) {
    if (text.empty()) throw std::invalid_argument("expected the path of a file");
    return absolute_path(std::string{text});
}

std::string parse_variable(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == 0 || equals == std::string_view::npos)
        throw std::invalid_argument("expected NAME=VALUE");
    return std::string{text};
}

process::Rotation parse_rotation(std::string_view text) {
    constexpr int max_files = 999;
    const auto colon = text.find(':');
    int count = -1;
    if (colon != std::string_view::npos)
        count = whole_number<int>(text.substr(colon + 1)).value_or(count);
    try {
        const auto size = cli::parse_size(text.substr(0, colon));
        if (count >= 0 && count <= max_files && size > 0) return {size, count};
    } catch (const std::invalid_argument&) { // NOLINT(bugprone-empty-catch): see below
    }
    throw std::invalid_argument("expected SIZE:FILES, such as 10M:5 for five old files of 10 MB");
}

expect::Pattern parse_pattern(std::string_view text) {
    return expect::Pattern{text};
}

int parse_descriptor(std::string_view text) {
    constexpr int first = 3; // 0 to 2 are the standard ones
    constexpr int last = 1023;
    return cli::number_between(first, last)(text);
}

int parse_open_descriptor(std::string_view text) {
    const int number = parse_descriptor(text);
    if (!cli::is_open(number)) throw std::invalid_argument("expected a descriptor that is open");
    return number;
}

std::uint16_t parse_listening_port(std::string_view text) {
    const auto port = cli::parse_port(text);
    if (port == 0) throw std::invalid_argument("expected a port from 1 to 65535");
    return port;
}

struct Flags {
    bool stop = false;
    bool restart = false;
    bool reload = false;
    bool status = false;
    std::optional<process::Stages> stages;
};

void declare_daemon(cli::Options& options, DaemonConfig& config) {
    options.section("The daemon");
    options.value("-p,--pid-file FILE", config.pid_file, parse_path,
                  "write the process id of the daemon to FILE, and do not start a second daemon");
    options.value("-l,--lock FILE", config.lock_file, parse_path,
                  "start the daemon only if FILE is not locked; the daemon keeps the lock");
    options.value("-u,--user USER[:GROUP]", config.user, cli::parse_owner,
                  "run the daemon as this user");
    options.value("-c,--directory DIR", config.directory, cli::parse_file,
                  "run the daemon in DIR (default /)");
    options.values("-E,--env NAME=VALUE", config.environment, parse_variable,
                   "set an environment variable for the daemon (can be repeated)");
    options.values("--keep-fd FD", config.kept, parse_open_descriptor,
                   "leave this descriptor open for the daemon (can be repeated)");
    options.flag("--background", config.background,
                 "start a background job instead, as & does in a shell");
    options.value("--respawn MAX/WINDOW", config.respawn, process::parse_respawn_limit,
                  "restart COMMAND when it ends, at most MAX times in WINDOW, such as 5/1m");
    declare_fork_retry(options, config.fork_retry);
    options.section("Output");
    options.value("-o,--output FILE", config.output, parse_path,
                  "write the daemon's standard output to FILE (default /dev/null)");
    options.value("-e,--error FILE", config.error, parse_path,
                  "write the daemon's standard error to FILE (default /dev/null)");
    options.flag("-a,--append", config.appends,
                 "with -o and -e: append to the file instead of truncating it");
    options.value("--rotate SIZE:FILES", config.rotation, parse_rotation,
                  "with -o and -e: rotate the file before it exceeds SIZE, and keep FILES old "
                  "ones, such as 10M:5");
    options.flag("--syslog", config.syslog, "also send each line of output to the system log");
}

void declare_start(cli::Options& options, DaemonConfig& config) {
    options.section("Readiness");
    options.value("--settle DURATION", config.settle, cli::parse_duration,
                  "consider the daemon up when it has run this long (default 1s)");
    options.value("--ready-fd FD", config.ready_fd, parse_descriptor,
                  "wait until the daemon writes a line to its descriptor FD");
    options.flag("--ready-notify", config.ready_notify,
                 "wait until the daemon sends READY=1 to $NOTIFY_SOCKET (sd_notify)");
    options.value("--ready-port PORT", config.ready_port, parse_listening_port,
                  "wait until the daemon listens on this TCP port");
    options.value("--ready-log REGEX", config.ready_log, parse_pattern,
                  "wait until a line of the daemon's output matches REGEX");
    options.value(
        "--ready-timeout DURATION", config.ready_timeout, cli::parse_time_limit,
        "end the daemon if it is not ready after this time (status 124; default 1m; 0: never)");
}

void declare_actions(cli::Options& options, Flags& flags) {
    options.section("Control");
    options.flag("--stop", flags.stop,
                 "end the daemon of the pid file; STAGES can follow, as for --stages");
    options.flag("--restart", flags.restart, "end the daemon if it is running, and start COMMAND");
    options.flag("--reload", flags.reload, "send HUP to the daemon of the pid file");
    options.flag("--status", flags.status, "print PID:START of the daemon if it is running");
    options.value(
        "--stages STAGES", flags.stages, process::parse_stages,
        "the signals that end the daemon, and the wait after each (default TERM:10s,KILL)");
}

DaemonConfig::Action action_of(const Flags& flags) {
    const int count = int{flags.stop} + int{flags.restart} + int{flags.reload} + int{flags.status};
    if (count > 1)
        throw cli::UsageError("--stop, --restart, --reload and --status cannot be combined");
    if (flags.stop) return DaemonConfig::Action::stop;
    if (flags.restart) return DaemonConfig::Action::restart;
    if (flags.reload) return DaemonConfig::Action::reload;
    return flags.status ? DaemonConfig::Action::status : DaemonConfig::Action::start;
}

// With --stop, the operands are stages (TERM:5s,KILL) and not a command.
void take_stages(DaemonConfig& config, Flags& flags) {
    if (config.action != DaemonConfig::Action::stop || config.command.size() != 1) return;
    if (flags.stages) throw cli::UsageError("--stop STAGES and --stages cannot be combined");
    try {
        flags.stages = process::parse_stages(config.command[0]);
    } catch (const std::invalid_argument& wrong) {
        throw cli::UsageError(fmt::format("--stop '{}': {}", config.command[0], wrong.what()));
    }
    config.command.clear();
}

void check(const DaemonConfig& config) {
    using Action = DaemonConfig::Action;
    const bool starts = config.action == Action::start || config.action == Action::restart;
    if (!starts && !config.command.empty())
        throw cli::UsageError("--stop, --reload and --status take no COMMAND, and the other "
                              "options come before STAGES");
    if (config.action != Action::start && !config.pid_file)
        throw cli::UsageError("--stop, --restart, --reload and --status need --pid-file");
    if (starts && config.command.empty()) throw cli::UsageError("COMMAND is missing");
    if (config.rotation && !config.output && !config.error)
        throw cli::UsageError("--rotate needs --output or --error");
    if (starts && config.appends && !config.output && !config.error)
        throw cli::UsageError("--append needs --output or --error");
    if (starts && config.ready_timeout && !config.asks_for_readiness())
        throw cli::UsageError(
            "--ready-timeout needs --ready-fd, --ready-notify, --ready-port or --ready-log");
    if (config.ready_log && !config.output && !config.error && !config.needs_keeper())
        throw cli::UsageError("--ready-log needs --output, --error or --syslog");
    if (config.background && config.needs_keeper())
        throw cli::UsageError(
            "--background cannot be combined with --rotate, --syslog or --respawn");
    if (config.ready_fd && std::ranges::find(config.kept, *config.ready_fd) != config.kept.end())
        throw cli::UsageError("--ready-fd and --keep-fd name the same descriptor");
}

} // namespace

DaemonConfig parse_daemon_options(const Invocation& invocation) {
    DaemonConfig config;
    Flags flags;
    cli::Options options{invocation, "[--] COMMAND [ARGUMENT...]"};
    options.command(config.command);
    declare_daemon(options, config);
    declare_start(options, config);
    declare_actions(options, flags);
    options.json(config.json);
    options.note(
        "daemon-run prints PID:START of the daemon once it is up. If the daemon ends before that, "
        "daemon-run exits with the daemon's status.");
    options.example("daemon-run -p /run/d.pid -o /var/log/d -u www-data -- ./d --foreground",
                    "start a daemon with a log and a pid file");
    options.example("daemon-run -p /run/d.pid --ready-port 8080 -- ./d && ./tests",
                    "run the tests once the daemon accepts connections");
    options.example("daemon-run -p /run/d.pid --stop TERM:5s,KILL",
                    "end the daemon, but never another process with its number");
    config.verbosity = options.parse();
    config.action = action_of(flags);
    take_stages(config, flags);
    constexpr auto patience = std::chrono::seconds{10};
    config.stages =
        flags.stages.value_or(process::Stages{{SIGTERM, patience}, {SIGKILL, std::nullopt}});
    if (!config.directory && !config.background) config.directory = "/";
    check(config);
    if (!config.ready_timeout) config.ready_timeout = std::chrono::minutes{1};
    return config;
}

} // namespace ipcbox::front
