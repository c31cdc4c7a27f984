// timeout-run - run a command with a time limit, and end all that it started
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/process_stat.h"
#include "core/signals.h"
#include "front/common_options.h"
#include "front/limited_run.h"
#include "front/run_command.h"
#include "process/stages.h"

#include <csignal>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace ipcbox {
namespace {

using process::Stages;

struct Config {
    front::RunLimits limits;
    std::optional<std::string> report;
    bool preserve_status = false;
    cli::Verbosity verbosity;
    std::vector<std::string> command;
};

Config parse(const Invocation& invocation) {
    Config config;
    bool foreground = false;
    std::optional<int> signal;
    std::optional<Duration> kill_after;
    std::optional<Stages> stages;
    cli::Options options{invocation, "DURATION [--] COMMAND [ARGUMENT...]"};
    options.required("DURATION", config.limits.time, cli::parse_time_limit,
                     "how long the command may run; 0 means no limit");
    options.command(config.command);
    options.value("-s,--signal SIGNAL", signal, cli::parse_signal,
                  "send this signal when the time is up (default TERM)");
    options.value("-k,--kill-after DURATION", kill_after, cli::parse_duration,
                  "send KILL if the command is still running this long after the signal");
    options.value(
        "--stages STAGES", stages, process::parse_stages,
        "instead of -s and -k: the signals, and the wait after each, such as TERM:5s,INT:5s,KILL");
    options.value("--idle DURATION", config.limits.idle, cli::parse_positive_duration,
                  "also end the command if it is idle for this long");
    options.flag("-p,--preserve-status", config.preserve_status,
                 "exit with the command's status even if the time was up");
    options.flag(
        "-f,--foreground", foreground,
        "keep the command in the process group of timeout-run, and signal only the command");
    options.value("--report FILE", config.report, cli::parse_file,
                  "append a JSON object about the run to FILE");
    front::declare_fork_retry(options, config.limits.fork_retry);
    options.note("When the time is up, timeout-run signals the command and all processes that it "
                 "started, including daemons. The status is then 124, or 137 after KILL. "
                 "Otherwise, it is that of the command.");
    options.example("timeout-run 10 rsync -a src/ dst/", "end rsync after ten seconds");
    options.example("timeout-run -k 5 1h ./backup.sh",
                    "send TERM after an hour, and KILL five seconds later");
    options.example("timeout-run --idle 1m 0 ./job", "end a job only if it hangs");
    config.verbosity = options.parse();
    if (config.command.empty()) throw cli::UsageError("COMMAND is missing");
    auto& limits = config.limits;
    if (foreground) limits.reach = front::RunLimits::Reach::command;
    limits.is_verbose = config.verbosity.verbose;
    limits.stages = stages.value_or(Stages{{signal.value_or(SIGTERM)}});
    if (stages && (kill_after || signal))
        throw cli::UsageError("--stages cannot be combined with --signal or --kill-after");
    if (kill_after && *kill_after > Duration::zero()) {
        limits.stages.back().wait = *kill_after;
        limits.stages.push_back({SIGKILL});
    }
    return config;
}

constexpr std::string_view text_of(front::LimitedRun::End end) {
    switch (end) {
    case front::LimitedRun::End::time_up:
        return "timeout";
    case front::LimitedRun::End::idle:
        return "idle";
    default:
        return "ended";
    }
}

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void write_report(const std::string& file, const front::LimitedRun& run, WaitStatus status) {
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    cli::JsonLine line;
    line.set("outcome", text_of(run.end())).set("status", status.as_exit_status());
    line.set("seconds", run.seconds());
    line.set("cpu", seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
    line.set("peak_bytes", std::int64_t{usage.ru_maxrss} * 1024);
    if (run.last_signal() != 0)
        line.set("sent", signal_name(run.last_signal()));
    else
        line.set_null("sent");
    const Fd out = open_file(file, O_WRONLY | O_CREAT | O_APPEND, new_file_mode);
    write_all(out.get(), line.text(), file);
}

// Prints an error if the report cannot be written. The command has ended all the same.
bool can_report(const std::string& file, const front::LimitedRun& run, WaitStatus status) try {
    write_report(file, run, status);
    return true;
} catch (const Error& error) {
    cli::diagnose(error.what());
    return false;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    return front::run_command(config.command, [&config](const front::Command& command) {
        if (config.limits.idle && !has_own_proc())
            throw Error(fmt::format("cannot use --idle: {}", no_own_proc_reason()));
        front::LimitedRun run{config.limits, command};
        const auto status = run.to_end();
        const bool is_reported = !config.report || can_report(*config.report, run, status);
        const bool is_preserved =
            config.preserve_status && run.end() != front::LimitedRun::End::by_itself;
        const int number = is_preserved ? status.as_exit_status() : run.exit_status(status);
        return number == exit_status::done && !is_reported ? exit_status::failed : number;
    });
}

} // namespace

extern constexpr Applet timeout_run{"run a command with a time limit", run};

} // namespace ipcbox
