// timeout-run - run a command with a time limit, and end all that it started
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/duration.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/process_stat.h"
#include "core/signals.h"
#include "front/common_options.h"
#include "front/run_command.h"
#include "process/activity.h"
#include "process/stages.h"
#include "process/supervise.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace ipcbox {
namespace {

using process::Stages;

struct Config {
    Duration limit{};
    Stages stages{{SIGTERM}};
    std::optional<Duration> idle;
    std::optional<std::string> report;
    bool preserve_status = false;
    bool foreground = false;
    ForkRetry fork_retry;
    cli::Verbosity verbosity;
    std::vector<std::string> command;
};

Config parse(const Invocation& invocation) {
    Config config;
    std::optional<int> signal;
    std::optional<Duration> kill_after;
    std::optional<Stages> stages;
    cli::Options options{invocation, "DURATION [--] COMMAND [ARGUMENT...]"};
    options.required("DURATION", config.limit, cli::parse_time_limit,
                     "how long the command may run; 0 means no limit");
    options.command(config.command);
    options.value("-s,--signal SIGNAL", signal, cli::parse_signal,
                  "send this signal when the time is up (default TERM)");
    options.value("-k,--kill-after DURATION", kill_after, cli::parse_duration,
                  "send KILL if the command is still running this long after the signal");
    options.value(
        "--stages STAGES", stages, process::parse_stages,
        "instead of -s and -k: the signals, and the wait after each, such as TERM:5s,INT:5s,KILL");
    options.value("--idle DURATION", config.idle, cli::parse_positive_duration,
                  "also end the command if it is idle for this long");
    options.flag("-p,--preserve-status", config.preserve_status,
                 "exit with the command's status even if the time was up");
    options.flag(
        "-f,--foreground", config.foreground,
        "keep the command in the process group of timeout-run, and signal only the command");
    options.value("--report FILE", config.report, cli::parse_file,
                  "append a JSON object about the run to FILE");
    front::declare_fork_retry(options, config.fork_retry);
    options.note("When the time is up, timeout-run signals the command and all processes that it "
                 "started, including daemons. The status is then 124, or 137 after KILL. "
                 "Otherwise, it is that of the command.");
    options.example("timeout-run 10 rsync -a src/ dst/", "end rsync after ten seconds");
    options.example("timeout-run -k 5 1h ./backup.sh",
                    "send TERM after an hour, and KILL five seconds later");
    options.example("timeout-run --idle 1m 0 ./job", "end a job only if it hangs");
    config.verbosity = options.parse();
    if (config.command.empty()) throw cli::UsageError("COMMAND is missing");
    config.stages = stages.value_or(Stages{{signal.value_or(SIGTERM)}});
    if (stages && (kill_after || signal))
        throw cli::UsageError("--stages cannot be combined with --signal or --kill-after");
    if (kill_after && *kill_after > Duration::zero()) {
        config.stages.back().wait = *kill_after;
        config.stages.push_back({SIGKILL});
    }
    return config;
}

// Why the run ended, in addition to the command's status.
struct Outcome {
    enum class Why { ended, time_up, idle } why = Why::ended;
    int last_signal = 0; // the last one that we sent; 0 for none
};

constexpr std::string_view text_of(Outcome::Why why) {
    switch (why) {
    case Outcome::Why::time_up:
        return "timeout";
    case Outcome::Why::idle:
        return "idle";
    default:
        return "ended";
    }
}

class Run {
  public:
    Run(const Config& config, const front::Command& command)
        : config_(config), idle_(config.idle), name_(command.words().front()),
          command_(command.program(), command.words(), plan()) {
        start_ = Deadline::Clock::now(); // after any pauses of --retry-fork
        limit_ = Deadline::after(config.limit);
    }

    WaitStatus to_end() {
        auto status = until_time_is_up();
        while (!status && next_ < config_.stages.size()) {
            send_next();
            status = until(last_stage_end());
        }
        // After the last stage, wait without a limit.
        if (!status) status = until(Deadline::never());
        end_rest_of_tree();
        return *status;
    }

    [[nodiscard]] const Outcome& outcome() const { return outcome_; }
    [[nodiscard]] double seconds() const {
        return std::chrono::duration<double>{Deadline::Clock::now() - start_}.count();
    }

  private:
    process::SupervisePlan plan() {
        using Plan = process::SupervisePlan;
        Plan plan;
        if (config_.foreground) plan.group = Plan::Group::ours;
        if (!config_.foreground) plan.extent = Plan::Extent::tree;
        plan.retry = &config_.fork_retry;
        // Our caller may ignore TERM. The command would inherit that, and would not end in time.
        plan.default_signals = signal_set({});
        for (const auto& stage : config_.stages)
            sigaddset(&*plan.default_signals, stage.signal);
        plan.on_signal = [this](const SignalEvent& event) { return on_signal(event.number); };
        return plan;
    }

    // As in timeout(1), ALRM means that the time is up, and any other signal that we pass on starts
    // the time of -k.
    bool on_signal(int signal) {
        if (signal == SIGALRM) {
            limit_ = std::min(limit_, Deadline::after(Duration::zero()));
            command_.set_limit(limit_);
            return false;
        }
        if (asks_to_end(signal) && config_.stages.size() > 1 && !was_asked_to_end_) {
            was_asked_to_end_ = true;
            limit_ = std::min(limit_, Deadline::after_or_never(config_.stages.front().wait));
            command_.set_limit(limit_);
            next_ = 1; // the command has just got a first signal
        }
        return true;
    }

    // Nothing when the time is up.
    std::optional<WaitStatus> until_time_is_up() {
        for (;;) {
            if (auto status = until(std::min(limit_, idle_.next()))) return status;
            if (limit_.passed()) {
                outcome_.why = Outcome::Why::time_up;
                return std::nullopt;
            }
            if (idle_.is_idle()) {
                outcome_.why = Outcome::Why::idle;
                return std::nullopt;
            }
        }
    }

    std::optional<WaitStatus> until(Deadline deadline) {
        command_.set_limit(deadline);
        return command_.wait();
    }

    void send_next() {
        const int signal = config_.stages[next_++].signal;
        outcome_.last_signal = signal;
        if (config_.verbosity.verbose)
            cli::diagnose(fmt::format("{} after {}: sending {} to {} ({})",
                                      outcome_.why == Outcome::Why::idle ? "idle" : "time is up",
                                      rounded_duration(Deadline::Clock::now() - start_),
                                      signal_name(signal), name_, command_.pid()));
        (void)command_.signal(signal);
    }
    [[nodiscard]] Deadline last_stage_end() const {
        return Deadline::after_or_never(config_.stages[next_ - 1].wait);
    }

    // If the command has ended but other processes of its tree have not, sends them the remaining
    // stages.
    void end_rest_of_tree() {
        if (outcome_.last_signal == 0 || config_.foreground) return;
        while (next_ < config_.stages.size()) {
            command_.set_limit(last_stage_end());
            if (command_.wait_for_all()) return;
            send_next();
        }
        // Wait until the killed processes have ended, so that their locks and ports are free. Do
        // not wait long, because one may hang in the kernel.
        constexpr auto patience = std::chrono::seconds{1};
        command_.set_limit(Deadline::after(patience));
        if (outcome_.last_signal == SIGKILL) (void)command_.wait_for_all();
    }

    const Config& config_;
    Deadline::Clock::time_point start_;
    Deadline limit_ = Deadline::never();
    process::IdleWatch idle_;
    std::string name_;
    Outcome outcome_;
    bool was_asked_to_end_ = false;
    std::size_t next_ = 0; // index of the next stage
    process::Supervised command_;
};

double seconds_of(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

void write_report(const std::string& file, const Run& run, WaitStatus status) {
    rusage usage{};
    ::getrusage(RUSAGE_CHILDREN, &usage);
    cli::JsonLine line;
    line.set("outcome", text_of(run.outcome().why)).set("status", status.as_exit_status());
    line.set("seconds", run.seconds());
    line.set("cpu", seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime));
    line.set("peak_bytes", std::int64_t{usage.ru_maxrss} * 1024);
    if (run.outcome().last_signal != 0)
        line.set("sent", signal_name(run.outcome().last_signal));
    else
        line.set_null("sent");
    const Fd out = open_file(file, O_WRONLY | O_CREAT | O_APPEND, new_file_mode);
    write_all(out.get(), line.text(), file);
}

// Prints an error if the report cannot be written. The command has ended all the same.
bool can_report(const std::string& file, const Run& run, WaitStatus status) try {
    write_report(file, run, status);
    return true;
} catch (const Error& error) {
    cli::diagnose(error.what());
    return false;
}

int status_after(const Config& config, const Outcome& outcome, WaitStatus status) {
    if (outcome.why == Outcome::Why::ended) return process::end_as(status);
    const bool was_killed = outcome.last_signal == SIGKILL && status.signal() == SIGKILL;
    if (config.preserve_status || was_killed) return status.as_exit_status();
    return exit_status::timed_out;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    return front::run_command(config.command, [&config](const front::Command& command) {
        if (config.idle && !has_own_proc())
            throw Error(fmt::format("cannot use --idle: {}", no_own_proc_reason()));
        Run run{config, command};
        const auto status = run.to_end();
        const bool is_reported = !config.report || can_report(*config.report, run, status);
        const int number = status_after(config, run.outcome(), status);
        return number == exit_status::done && !is_reported ? exit_status::failed : number;
    });
}

} // namespace

extern constexpr Applet timeout_run{"run a command with a time limit", run};

} // namespace ipcbox
