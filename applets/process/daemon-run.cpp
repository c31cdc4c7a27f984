// daemon-run - run a command as a daemon, and report whether it is up
#include "applet.h"
#include "cli/json.h"
#include "cli/output.h"
#include "core/duration.h"
#include "core/error.h"
#include "core/pidfd.h"
#include "core/process_info.h"
#include "core/signals.h"
#include "front/daemon/options.h"
#include "front/daemon/start.h"
#include "front/run_command.h"
#include "process/pid_file.h"
#include "process/stages.h"

#include <csignal>

namespace ipcbox {
namespace {

using Config = front::DaemonConfig;
using process::RunningDaemon;

std::string text_of(const RunningDaemon& daemon) {
    const auto info = find_process(daemon.identity.pid);
    return info ? info->text() : daemon.identity.text();
}

int fail(std::string_view verb, const Config& config) {
    cli::diagnose(
        fmt::format("cannot {} the daemon of {}: it is not running", verb, *config.pid_file));
    return exit_status::failed;
}

int stop(const Config& config) {
    const auto daemon = process::daemon_of(*config.pid_file);
    if (!daemon) return fail("stop", config);
    const auto text = text_of(*daemon);
    const auto endings = process::end_in_stages({&daemon->handle, 1}, config.stages,
                                                [](std::size_t, const process::Ending&) {});
    const auto& ending = endings.front();
    if (!ending.failure.empty())
        throw Error(fmt::format("cannot stop {}: {}", text, ending.failure));
    constexpr auto patience = std::chrono::seconds{1};
    if (ending.has_ended) // before the report, which can fail
        process::remove_pid_file(*config.pid_file, daemon->identity.pid, Deadline::after(patience));
    if (config.json)
        cli::JsonLine{}
            .set("id", daemon->identity.text())
            .set_flag("ended", ending.has_ended)
            .set("signal", signal_name(ending.signal))
            .set("seconds", in_seconds(ending.after))
            .print();
    if (!ending.has_ended) {
        cli::diagnose(fmt::format("cannot stop {}: it survived {}", text,
                                  process::stages_text(config.stages)));
        return exit_status::failed;
    }
    if (config.verbosity.verbose)
        cli::diagnose(fmt::format("{} ended by {} after {}", text, signal_name(ending.signal),
                                  rounded_duration(ending.after)));
    return exit_status::done;
}

int reload(const Config& config) {
    const auto daemon = process::daemon_of(*config.pid_file);
    if (!daemon || !try_to_signal(daemon->handle, SIGHUP)) return fail("reload", config);
    return exit_status::done;
}

// Returns the statuses of the Linux Standard Base, as start-stop-daemon(8) does.
int status(const Config& config) try {
    constexpr int has_ended = 1;
    constexpr int not_running = 3;
    const auto daemon = process::daemon_of(*config.pid_file);
    if (config.json) {
        cli::JsonLine line;
        line.set_flag("running", daemon.has_value());
        if (daemon)
            line.set("id", daemon->identity.text());
        else
            line.set_null("id");
        line.print();
    } else if (daemon && !config.verbosity.quiet) {
        cli::print_line("{}",
                        config.verbosity.verbose ? text_of(*daemon) : daemon->identity.text());
    }
    cli::flush(); // a lost answer is "unknown", not "has ended"
    if (daemon) return exit_status::done;
    return process::has_pid_file(*config.pid_file) ? has_ended : not_running;
} catch (Error& error) {
    constexpr int unknown = 4;
    error.set_status(unknown);
    throw;
}

int start(const Config& config) {
    return front::run_command(config.command, [&config](const front::Command& command) {
        if (config.action == Config::Action::restart && process::daemon_of(*config.pid_file)) {
            if (const int status = stop(config); status != exit_status::done) return status;
        }
        return front::run_daemon_start(config, command);
    });
}

int run(const Invocation& invocation) {
    const Config config = front::parse_daemon_options(invocation);
    switch (config.action) {
    case Config::Action::stop:
        return stop(config);
    case Config::Action::reload:
        return reload(config);
    case Config::Action::status:
        return status(config);
    default:
        return start(config);
    }
}

} // namespace

extern constexpr Applet daemon_run{"run a command as a daemon", run};

} // namespace ipcbox
