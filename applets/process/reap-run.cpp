// reap-run - run a command, pass signals on, and wait for orphaned processes, like init
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/child.h"
#include "core/counted.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/process_stat.h"
#include "core/side_file.h"
#include "core/signals.h"
#include "front/common_options.h"
#include "front/run_command.h"
#include "process/reaper.h"
#include "process/stages.h"
#include "process/supervise.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <stdexcept>
#include <unistd.h>

namespace ipcbox {
namespace {

using Plan = process::SupervisePlan;

struct Config {
    bool group = false;
    std::optional<int> parent_signal;
    bool warn = false;
    std::vector<int> success_statuses;
    std::vector<process::Rewrite> rewrites;
    std::optional<process::Stages> orphan_stages;
    Duration grace{};
    std::optional<std::string> on_exit;
    std::optional<std::string> report;
    ForkRetry fork_retry;
    bool list = false;
    bool json = false;
    cli::Verbosity verbosity;
    std::vector<std::string> command;
};

process::Rewrite parse_rewrite(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos)
        throw std::invalid_argument("expected FROM:TO, such as TERM:QUIT, or TERM:0 to drop TERM");
    const auto to = text.substr(colon + 1);
    return {cli::parse_signal(text.substr(0, colon)), to == "0" ? 0 : cli::parse_signal(to)};
}

bool concerns_command(const Config& config) {
    return config.group || config.parent_signal || config.warn ||
           !config.success_statuses.empty() || !config.rewrites.empty() || config.orphan_stages ||
           config.grace != Duration{} || config.on_exit || config.report;
}

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[--] COMMAND [ARGUMENT...] | --list"};
    options.command(config.command);
    options.flag("-g,--group", config.group,
                 "pass signals on to the command's process group, not only to the command");
    options.value("-p,--parent-death SIGNAL", config.parent_signal, cli::parse_signal,
                  "when the parent process dies, pass this signal on to the command");
    options.flag("-w,--warn", config.warn, "print a line for each orphan that ends");
    options.values("-e,--remap-exit STATUS", config.success_statuses, cli::number_between(0, 255),
                   "exit with 0 if the command exits with this status");
    options.values("-r,--rewrite FROM:TO", config.rewrites, parse_rewrite,
                   "pass on signal TO instead of FROM; 0 drops the signal");
    options.value("--kill-orphans STAGES", config.orphan_stages, process::parse_stages,
                  "when the command has ended, end the processes that it left behind, for example "
                  "with TERM:5s,KILL");
    options.value("--grace DURATION", config.grace, cli::parse_duration,
                  "when the command has ended, give the other processes this long to end");
    options.value("--on-exit COMMAND", config.on_exit, cli::parse_text,
                  "run this command line with /bin/sh when the command has ended");
    options.value("--report FILE", config.report, cli::parse_file,
                  "append a JSON object to FILE when the command or an orphan ends");
    front::declare_fork_retry(options, config.fork_retry);
    options.flag("--list", config.list, "list the zombies of the machine and their parents");
    options.json(config.json);
    options.note("reap-run adopts processes that lose their parent, even if it is not process 1. "
                 "The status is that of the command.");
    options.example("reap-run --kill-orphans TERM:5s,KILL -- ./server",
                    "use reap-run as the entry point of a container");
    options.example("reap-run --list", "find parents that do not wait for their children");
    config.verbosity = options.parse();
    if (config.list == !config.command.empty())
        throw cli::UsageError(config.list ? "--list takes no command" : "COMMAND is missing");
    if (config.list && concerns_command(config))
        throw cli::UsageError("--list cannot be combined with the options for a command");
    if (config.json && !config.list) throw cli::UsageError("--json needs --list");
    return config;
}

class Report {
  public:
    explicit Report(const std::optional<std::string>& file) {
        if (file) file_ = SideFile{*file, O_APPEND};
    }
    // If the file cannot be written, prints one error. The command goes on.
    void add(const process::EndedChild& child, bool is_command) {
        if (!file_) return;
        cli::JsonLine line;
        line.set("pid", child.pid).set("name", child.name);
        line.set("status", child.status.as_exit_status()).set("end", child.status.text());
        line.set("seconds", child.seconds).set_flag("command", is_command);
        file_.write(line.text());
        if (has_failed()) cli::diagnose(file_.failure());
    }
    [[nodiscard]] bool has_failed() const { return !file_.failure().empty(); }

  private:
    SideFile file_;
};

class Init {
  public:
    Init(const Config& config, const front::Command& command)
        : config_(config), report_(config.report),
          command_(command.program(), command.words(), plan()) {}

    int run() {
        const auto status = *command_.wait();
        if (config_.on_exit) run_at_exit(status);
        end_orphans();
        const int number = status.as_exit_status();
        const bool is_success =
            number == exit_status::done ||
            std::ranges::find(config_.success_statuses, number) != config_.success_statuses.end();
        if (is_success) return report_.has_failed() ? exit_status::failed : exit_status::done;
        return process::end_as(status);
    }

  private:
    Plan plan() {
        Plan plan;
        plan.reach = config_.group ? Plan::Reach::group : Plan::Reach::command;
        plan.extent = Plan::Extent::tree;
        plan.rewrites = config_.rewrites;
        plan.retry = &config_.fork_retry;
        // Look up names only if they are printed.
        if (config_.report || config_.warn || config_.verbosity.verbose)
            plan.on_end = [this](const process::EndedChild& child) { tell_end(child); };
        plan.on_signal = [this](const SignalEvent& event) { return on_signal(event.number); };
        return plan;
    }

    // After the command has ended, such a signal ends the wait for the orphans.
    bool on_signal(int signal) {
        if (!asks_to_end(signal) || !command_.status()) return true;
        hurries_ = true;
        command_.set_limit(Deadline::after(Duration::zero()));
        return true;
    }

    void tell_end(const process::EndedChild& child) {
        const bool is_command = child.pid == command_.pid();
        report_.add(child, is_command);
        if (is_command ? config_.verbosity.verbose : config_.warn || config_.verbosity.verbose)
            cli::diagnose(fmt::format("{} {} ({}): {}", is_command ? "command" : "orphan",
                                      child.pid, cli::visible(child.name), child.status.text()));
    }

    // Runs the script of --on-exit. Passes our signals on to it, and waits for orphans that end in
    // the meantime.
    void run_at_exit(WaitStatus status) {
        ::setenv("STATUS", fmt::format("{}", status.as_exit_status()).c_str(), 1);
        const std::vector<std::string> words{"sh", "-c", *config_.on_exit};
        Plan plan;
        plan.on_signal = [this](const SignalEvent& event) { return on_signal(event.number); };
        pid_t own = 0;
        plan.on_end = [&](const process::EndedChild& child) {
            if (child.pid != own && (config_.report || config_.warn || config_.verbosity.verbose))
                tell_end(child);
        };
        try {
            process::Supervised at_exit{"/bin/sh", words, plan};
            own = at_exit.pid();
            (void)at_exit.wait();
        } catch (const Error& error) {
            cli::diagnose(error.what());
        }
    }

    void end_orphans() {
        if (config_.grace > Duration::zero() && !hurries_ && wait_for_others(config_.grace)) return;
        if (!config_.orphan_stages || !has_children()) return;
        if (!has_own_proc())
            return cli::diagnose(fmt::format("cannot end the orphans: {}", no_own_proc_reason()));
        for (const auto& [signal, wait] : *config_.orphan_stages) {
            const auto count = command_.signal(signal);
            if (count > 0 && config_.verbosity.verbose)
                cli::diagnose(
                    fmt::format("sent {} to {}", signal_name(signal), counted(count, "orphan")));
            if (wait_for_others(wait)) return;
        }
    }
    // False when DURATION has passed first.
    bool wait_for_others(std::optional<Duration> duration) {
        command_.set_limit(Deadline::after_or_never(duration));
        return command_.wait_for_all();
    }

    const Config& config_;
    Report report_;
    bool hurries_ = false; // a signal came after the command's end
    process::Supervised command_;
};

int list_zombies(const Config& config) {
    for (const auto& zombie : process::all_zombies())
        if (config.json)
            cli::JsonLine{}
                .set("pid", zombie.pid)
                .set("name", zombie.name)
                .set("parent", zombie.parent)
                .set("parent_name", zombie.parent_name)
                .print();
        else
            cli::print_line("{} ({}) is not waited for by {} ({})", zombie.pid,
                            cli::visible(zombie.name), zombie.parent,
                            cli::visible(zombie.parent_name));
    return exit_status::done;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    if (config.list) return list_zombies(config);
    return front::run_command(config.command, [&config](const front::Command& command) {
        if (config.parent_signal) end_with_parent(::getppid(), *config.parent_signal);
        return Init{config, command}.run();
    });
}

} // namespace

extern constexpr Applet reap_run{"run a command and reap orphaned processes, like init", run};

} // namespace ipcbox
