// lock-run - run a command while a file is locked
#include "applet.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/error.h"
#include "core/file_lock.h"
#include "core/number.h"
#include "core/process_info.h"
#include "core/program.h"
#include "front/limited_run.h"
#include "front/run_command.h"
#include "process/lock_holders.h"
#include "process/lock_reach.h"
#include "process/stages.h"
#include "process/supervise.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <unistd.h>

namespace ipcbox {
namespace {

struct Config {
    std::string object; // a path; without a command, also a descriptor's number
    LockKind kind = LockKind::exclusive;
    std::optional<Duration> wait;
    int busy_status = exit_status::failed;
    std::optional<front::RunLimits> limits; // with --max-hold
    bool closes = false;
    bool unlocks = false;
    cli::Verbosity verbosity;
    std::vector<std::string> command;
};

Config parse(const Invocation& invocation) {
    Config config;
    bool shared = false;
    bool exclusive = false;
    bool nonblock = false;
    bool no_fork = false;
    std::optional<std::string> script;
    std::optional<Duration> max_hold;
    std::optional<process::Stages> stages;
    cli::Options options{invocation, "FILE [--] COMMAND [ARGUMENT...] | FD"};
    options.required("FILE", config.object, cli::parse_file,
                     "the file or directory to lock; without a command, an open descriptor");
    options.command(config.command);
    options.flag("-s,--shared", shared, "take a shared lock");
    options.flag("-x,--exclusive", exclusive, "take an exclusive lock (the default)");
    options.flag("-e", exclusive, "the same as -x, for scripts that were written for flock");
    options.flag("-n,--nonblock", nonblock, "do not wait: fail if the lock is taken");
    options.value("-w,--wait DURATION", config.wait, cli::parse_duration,
                  "wait at most this long for the lock");
    options.flag("--nb", nonblock, "the same as --nonblock, as in flock");
    options.value("--timeout DURATION", config.wait, cli::parse_duration,
                  "the same as --wait, as in flock");
    options.value("-E,--conflict-exit-code STATUS", config.busy_status, cli::number_between(0, 255),
                  "exit with this status if the lock is taken (default 1)");
    options.flag("-u,--unlock", config.unlocks, "unlock the descriptor");
    options.value("-c,--command STRING", script, cli::parse_text,
                  "run this command line with a shell ($SHELL or /bin/sh)");
    options.flag("-o,--close", config.closes,
                 "do not pass the lock to the command, so that no daemon keeps it");
    options.value("--max-hold DURATION", max_hold, cli::parse_positive_duration,
                  "end the command and all processes that it started after this long (status 124)");
    options.value("--stages STAGES", stages, process::parse_stages,
                  "with --max-hold: the signals, and the wait after each (default TERM:10s,KILL)");
    options.flag("-F,--no-fork", no_fork, "become the command (the default; accepted as in flock)");
    options.note(
        "lock-run becomes the command. The lock is free when the command and all processes that "
        "inherited the lock have ended. The status is that of the command.");
    options.example("lock-run -n backup.lock rsync -a src/ dst/",
                    "run the backup unless one is running");
    options.example("lock-run -w 10 -E 75 . -- make install",
                    "wait at most ten seconds for the lock");
    options.example("exec 9>lock; lock-run 9; work; lock-run -u 9", "lock a part of a script");
    config.verbosity = options.parse();
    if (shared && exclusive) throw cli::UsageError("--shared and --exclusive cannot be combined");
    if (config.closes && no_fork) throw cli::UsageError("--close and --no-fork cannot be combined");
    if (stages && !max_hold) throw cli::UsageError("--stages needs --max-hold");
    if (max_hold && no_fork) throw cli::UsageError("--max-hold and --no-fork cannot be combined");
    if (max_hold) {
        constexpr auto grace = std::chrono::seconds{10};
        config.limits.emplace();
        config.limits->time = *max_hold;
        config.limits->stages = stages.value_or(process::Stages{{SIGTERM, grace}, {SIGKILL}});
    }
    if (shared) config.kind = LockKind::shared;
    if (nonblock) config.wait = Duration::zero();
    if (script && !config.command.empty())
        throw cli::UsageError("--command and a command cannot be combined");
    if (script) {
        const char* shell = std::getenv("SHELL");
        config.command = {shell != nullptr && *shell != '\0' ? shell : "/bin/sh", "-c", *script};
    }
    if (max_hold && config.command.empty()) throw cli::UsageError("--max-hold needs a COMMAND");
    if (config.unlocks && !config.command.empty())
        throw cli::UsageError("--unlock takes a descriptor, but no command");
    return config;
}

// Takes the lock. If a person has to wait for it, prints which process they wait for.
bool take(int fd, const std::string& object, const Config& config) {
    constexpr auto patience = std::chrono::seconds{2};
    const Deadline deadline = Deadline::after_or_never(config.wait);
    const auto lock = [&](Deadline limit) { return lock_until(fd, config.kind, limit, object); };
    if (lock(Deadline::after(Duration::zero()))) return true;
    const bool waits = config.wait != Duration::zero();
    const auto holders = waits ? process::lock_holders(fd) : std::vector<pid_t>{};
    if (std::ranges::find(holders, ::getpid()) != holders.end())
        throw Error(fmt::format("cannot lock {}: this process holds the lock already, so it would "
                                "wait for itself",
                                object),
                    exit_status::before_command);
    if (waits && !config.verbosity.quiet) {
        if (const auto ancestor = std::ranges::find_if(holders, process::is_ancestor);
            ancestor != holders.end()) {
            cli::diagnose(fmt::format("warning: {} is locked by {}, which started this process: if "
                                      "it waits for lock-run, neither will ever end",
                                      object, process::text_of({&*ancestor, 1})));
        } else if (config.verbosity.verbose || cli::is_terminal(STDERR_FILENO)) {
            const auto silent = config.verbosity.verbose ? Duration::zero() : Duration{patience};
            if (lock(std::min(Deadline::after(silent), deadline))) return true;
            if (!deadline.passed())
                cli::diagnose(
                    fmt::format("waiting for {}", process::text_of(process::lock_holders(fd))));
        }
    }
    if (lock(deadline)) return true;
    if (!config.verbosity.quiet)
        cli::diagnose(
            fmt::format("{} is locked by {}", object, process::text_of(process::lock_holders(fd))));
    return false;
}

void warn_of_local_lock(int fd, const Config& config) {
    if (config.verbosity.quiet) return;
    if (const auto reason = process::local_lock_reason(fd))
        cli::diagnose(fmt::format("warning: only processes of this machine see a lock on {} ({})",
                                  config.object, *reason));
}

int run_with_lock(const Config& config, const front::Command& command) {
    const Fd file = open_lock_file(config.object, config.kind);
    warn_of_local_lock(file.get(), config);
    if (!take(file.get(), config.object, config)) return config.busy_status;
    if (!config.closes) set_across_exec(file, AcrossExec::keep);
    if (config.limits) {
        front::LimitedRun run{*config.limits, command};
        const auto status = run.to_end();
        return run.exit_status(status);
    }
    if (config.closes)
        return process::end_as(process::supervise(command.program(), command.words(), {}));
    execute(command.program(), command.words());
}

int lock_descriptor(const Config& config) {
    const auto fd = whole_number<int>(config.object);
    if (!fd || *fd < 0)
        throw cli::UsageError(
            fmt::format("COMMAND is missing: without one, '{}' has to be the number "
                        "of a descriptor",
                        config.object));
    const auto object = fmt::format("descriptor {}", *fd);
    if (config.unlocks) {
        unlock(*fd, object);
        return exit_status::done;
    }
    return take(*fd, object, config) ? exit_status::done : config.busy_status;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    if (config.command.empty()) return lock_descriptor(config);
    return front::run_command(config.command, [&config](const front::Command& command) {
        return run_with_lock(config, command);
    });
}

} // namespace

extern constexpr Applet lock_run{"run a command while a file is locked", run};

} // namespace ipcbox
