// process-wait - wait for the end of processes that need not be our children
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/duration.h"
#include "core/fd.h"
#include "core/pidfd.h"
#include "core/process_info.h"
#include "process/identity.h"
#include "process/watch.h"

#include <fmt/core.h>

namespace ipcbox {
namespace {

struct Config {
    std::vector<process::Identity> processes;
    std::optional<Duration> limit;
    bool any = false;
    bool exited_ok = false;
    bool json = false;
    cli::Verbosity verbosity;
};

Config parse(const Invocation& invocation) {
    Config config;
    bool all = false;
    cli::Options options{invocation, "PID..."};
    options.operands("PID", config.processes, process::parse_identity, "any process, or PID:START");
    options.value("-t,--timeout DURATION", config.limit, cli::parse_duration,
                  "wait at most this long (status 124)");
    options.flag("--any", config.any, "wait until one of the processes has ended");
    options.flag("--all", all, "wait until all processes have ended (the default)");
    options.flag("-e,--exited-ok", config.exited_ok,
                 "treat a process that does not exist as one that has ended");
    options.json(config.json);
    options.example("process-wait 812 && ./next",
                    "continue when a process of another shell has ended");
    options.example("process-wait -t 10 $(cat *.pid)", "wait at most ten seconds for all of them");
    config.verbosity = options.parse();
    if (config.processes.empty()) throw cli::UsageError("PID is missing");
    if (config.any && all) throw cli::UsageError("--any and --all cannot be combined");
    return config;
}

// A handle on a process. Nothing when it has gone. A zombie still has a handle, which says that it
// has ended.
std::optional<Fd> handle_of(const process::Identity& identity) {
    // Only a start time needs /proc.
    if (!identity.start) return open_process(identity.pid);
    auto found = process::find(identity);
    return found ? std::optional{std::move(found->handle)} : std::nullopt;
}

class Wait {
  public:
    explicit Wait(const Config& config) : config_(config), has_ended_(config.processes.size()) {
        constexpr std::size_t ours = 32; // descriptors that we need besides the handles
        (void)raise_descriptor_limit(config.processes.size() + ours);
        for (std::size_t number = 0; number < config.processes.size(); ++number)
            if (auto handle = handle_of(config.processes[number]))
                watch_.add(*std::move(handle), number);
            else
                take_as_gone(number);
    }

    int run() {
        const Deadline deadline = Deadline::after_or_never(config_.limit);
        const auto on_end = [this](std::size_t number, std::optional<WaitStatus> status) {
            tell_end(number, status);
        };
        while (watch_.left() > 0 && !(config_.any && ends_ > 0))
            if (!watch_.wait(deadline, on_end)) return time_is_up();
        return is_one_missing_ ? exit_status::failed : exit_status::done;
    }

  private:
    void take_as_gone(std::size_t number) {
        has_ended_[number] = true;
        const auto text = config_.processes[number].text();
        if (config_.exited_ok) {
            ++ends_;
            if (config_.verbosity.verbose) cli::diagnose(fmt::format("{} had already ended", text));
        } else {
            is_one_missing_ = true;
            cli::diagnose(fmt::format("cannot wait for {}: no such process", text));
        }
        if (config_.json)
            cli::JsonLine{}.set("pid", config_.processes[number].pid).set("state", "gone").print();
    }

    void tell_end(std::size_t number, std::optional<WaitStatus> status) {
        has_ended_[number] = true;
        ++ends_;
        const auto& asked = config_.processes[number];
        const Duration waited = Deadline::Clock::now() - start_;
        if (config_.json) {
            cli::JsonLine line;
            line.set("pid", asked.pid).set("state", "ended");
            if (status)
                line.set("status", status->as_exit_status());
            else
                line.set_null("status");
            line.set("seconds", std::chrono::duration<double>{waited}.count()).print();
        }
        if (config_.verbosity.verbose)
            cli::diagnose(fmt::format("{} ended after {}{}", asked.text(), rounded_duration(waited),
                                      status ? fmt::format(": {}", status->text()) : ""));
    }

    int time_is_up() {
        for (std::size_t number = 0; number < has_ended_.size(); ++number) {
            if (has_ended_[number]) continue;
            const auto& asked = config_.processes[number];
            if (config_.json) cli::JsonLine{}.set("pid", asked.pid).set("state", "alive").print();
            if (config_.verbosity.quiet) continue;
            const auto info = find_process(asked.pid);
            cli::diagnose(
                fmt::format("timed out: {} is still running", info ? info->text() : asked.text()));
        }
        return exit_status::timed_out;
    }

    const Config& config_;
    Deadline::Clock::time_point start_ = Deadline::Clock::now();
    process::Watch watch_;
    std::vector<bool> has_ended_;
    std::size_t ends_ = 0;
    bool is_one_missing_ = false;
};

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    return Wait{config}.run();
}

} // namespace

extern constexpr Applet process_wait{"wait until processes have ended", run};

} // namespace ipcbox
