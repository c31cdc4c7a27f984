// signal-send - send a signal to processes, and say what became of them
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/duration.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/number.h"
#include "core/pidfd.h"
#include "core/process_info.h"
#include "core/signals.h"
#include "process/selection.h"
#include "process/stages.h"
#include "process/tree.h"
#include "process/watch.h"

#include <algorithm>
#include <csignal>
#include <limits>
#include <stdexcept>
#include <unistd.h>

namespace ipcbox {
namespace {

struct Config {
    int signal = SIGTERM;
    std::vector<process::Identity> processes;
    process::Criteria criteria;
    std::optional<std::string> pid_file;
    std::optional<std::string> program; // that the process of the pid file has to run
    std::optional<int> value;
    std::optional<process::Stages> stages;
    std::optional<Duration> wait;
    bool tree = false;
    bool except_self = false;
    bool dry_run = false;
    bool force = false;
    bool json = false;
    cli::Verbosity verbosity;
};

pid_t parse_group(std::string_view text) {
    return cli::number_between(0, 4'194'304)(text); // PID_MAX_LIMIT
}

uid_t parse_user(std::string_view text) {
    return cli::parse_owner(text).uid;
}

// kill(1)'s -TERM and -9 as options that we know: -s TERM.
std::vector<std::string> with_plain_options(std::span<char* const> arguments) {
    std::vector<std::string> words;
    bool is_over = false;
    for (const std::string_view word : arguments) {
        is_over |= word == "--";
        if (!is_over && word.size() > 1 && word[0] == '-' && word[1] != '-' &&
            signal_number(word.substr(1))) {
            words.emplace_back("-s");
            words.emplace_back(word.substr(1));
        } else {
            words.emplace_back(word);
        }
    }
    return words;
}

Config parse_words(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[-SIGNAL] PID..."};
    options.operands("PID", config.processes, process::parse_identity,
                     "a process, or PID:START, which is never taken for a later process");
    options.value("-s,--signal SIGNAL", config.signal, cli::parse_signal,
                  "the signal (default TERM); -SIGNAL is the same");
    options.value("--group PGID", config.criteria.group, parse_group,
                  "signal the processes of this group; 0 is our own");
    options.value("--session SID", config.criteria.session, parse_group,
                  "signal the processes of this session; 0 is our own");
    options.value("--user USER", config.criteria.user, parse_user,
                  "signal the processes of this user");
    options.value("--name NAME", config.criteria.name, cli::parse_text,
                  "signal the processes with exactly this name, as ps shows it");
    options.value("--exe PATH", config.criteria.executable, cli::parse_text,
                  "signal the processes that run this program");
    options.value("--pidfile FILE", config.pid_file, cli::parse_text,
                  "signal the process whose number is in this file");
    options.value("--match-exe PATH", config.program, cli::parse_text,
                  "with --pidfile: only if the process runs this program");
    options.flag("--except-self", config.except_self,
                 "leave out the script that calls signal-send");
    options.flag("--tree", config.tree, "signal all descendants of the processes, too");
    options.value(
        "--queue NUMBER", config.value,
        cli::number_between(std::numeric_limits<int>::min(), std::numeric_limits<int>::max()),
        "send this number along (sigqueue)");
    options.value("--escalate STAGES", config.stages, process::parse_stages,
                  "send one signal after the other until the processes end, such as TERM:5s,KILL");
    options.value("-w,--wait DURATION", config.wait, cli::parse_duration,
                  "wait at most this long for the ends of the processes (status 124)");
    options.flag("--dry-run", config.dry_run, "print the processes instead of signalling them");
    options.flag("--force", config.force, "signal process 1 and ourselves, too");
    options.json(config.json);
    options.note("Options that select processes can be combined; a process has to meet them all.");
    options.example("signal-send --escalate TERM:5s,KILL 812",
                    "politely first, and see what worked");
    options.example("signal-send -HUP --pidfile /run/d.pid --match-exe /usr/sbin/d",
                    "never to a stranger that has the number now");
    options.example("signal-send -s HUP --group 0 --except-self",
                    "to all of our group, without us");
    config.verbosity = options.parse();
    return config;
}

void check(const Config& config) {
    const int ways = (config.processes.empty() ? 0 : 1) + (config.criteria.is_empty() ? 0 : 1) +
                     (config.pid_file ? 1 : 0);
    if (ways == 0) throw cli::UsageError("PID is missing, and no option selects processes");
    if (ways > 1)
        throw cli::UsageError("PID, --pidfile and the options that select exclude each other");
    if (config.program && !config.pid_file) throw cli::UsageError("--match-exe needs --pidfile");
    if (config.tree && (config.stages || config.value))
        throw cli::UsageError("--tree excludes --escalate and --queue");
    if (config.stages && (config.wait || config.value))
        throw cli::UsageError("--escalate excludes --wait and --queue");
}

Config parse(const Invocation& invocation) {
    auto words = with_plain_options(invocation.arguments);
    std::vector<char*> pointers;
    for (auto& word : words)
        pointers.push_back(word.data());
    Config config = parse_words({invocation.name, invocation.summary, pointers});
    check(config);
    if (config.criteria.group == 0) config.criteria.group = ::getpgrp();
    if (config.criteria.session == 0) config.criteria.session = ::getsid(0);
    return config;
}

// A process that is going to be signalled.
struct Target {
    process::Identity identity;
    Fd handle;
    std::string name;

    [[nodiscard]] std::string text() const {
        return name.empty() ? fmt::format("{}", identity.pid)
                            : fmt::format("{} ({})", identity.pid, name);
    }
};

class Sending {
  public:
    explicit Sending(const Config& config) : config_(config) {}

    int run() {
        for (const auto& identity : asked())
            add(identity);
        if (config_.dry_run) {
            for (const auto& target : targets_)
                show(target);
        } else if (config_.stages) {
            escalate();
        } else {
            if (config_.tree)
                send_to_trees();
            else
                send();
            if (config_.wait && !wait()) return exit_status::timed_out;
        }
        return has_failed_ ? exit_status::failed : exit_status::done;
    }

  private:
    std::vector<process::Identity> asked() {
        if (config_.pid_file) return {read_pid_file()};
        if (config_.criteria.is_empty()) return config_.processes;
        auto found = process::select(config_.criteria);
        // Not asked for by number, so that they are left out without a word.
        std::erase_if(found, [this](const process::Identity& identity) {
            return (!config_.force && (identity.pid == ::getpid() || identity.pid == 1)) ||
                   (config_.except_self && identity.pid == ::getppid());
        });
        if (found.empty()) fail("no process is selected");
        return found;
    }

    process::Identity read_pid_file() const {
        auto identity = process::read_pid_file(*config_.pid_file);
        if (!config_.program) return identity;
        const auto matches = process::runs_program(identity.pid, *config_.program);
        if (matches && *matches) return identity;
        throw Error(fmt::format("cannot signal {}: it {} {}", identity.pid,
                                matches ? "does not run" : "cannot be seen to run",
                                *config_.program));
    }

    void fail(std::string_view text) {
        has_failed_ = true;
        cli::diagnose(text);
    }

    void add(const process::Identity& identity) {
        if (!config_.force && (identity.pid == 1 || identity.pid == ::getpid()))
            return fail(fmt::format("cannot signal {}: {} is signalled with --force only",
                                    identity.text(),
                                    identity.pid == 1 ? "process 1" : "signal-send"));
        auto found = process::find(identity);
        if (!found) return fail(fmt::format("cannot signal {}: no such process", identity.text()));
        targets_.push_back({found->identity(identity.pid), std::move(found->handle),
                            found->stat ? found->stat->name : ""});
    }

    void show(const Target& target) const {
        const auto info = find_process(target.identity.pid);
        if (config_.json)
            cli::JsonLine{}
                .set("pid", target.identity.pid)
                .set("id", target.identity.text())
                .set("name", target.name)
                .print();
        else
            cli::print_line("{} {}", target.identity.text(), info ? info->text() : target.text());
    }

    void tell(const Target& target, int signal) {
        if (config_.json)
            cli::JsonLine{}
                .set("pid", target.identity.pid)
                .set("signal", signal_name(signal))
                .set_flag("sent", true)
                .print();
        if (config_.verbosity.verbose)
            cli::diagnose(fmt::format("sent {} to {}", signal_name(signal), target.text()));
    }

    void send() {
        for (const auto& target : targets_)
            try {
                const bool sent = config_.value
                                      ? queue_signal(target.handle, config_.signal, *config_.value)
                                      : try_to_signal(target.handle, config_.signal);
                if (sent)
                    tell(target, config_.signal);
                else
                    fail(fmt::format("cannot signal {}: no such process", target.text()));
            } catch (const SysError& error) {
                fail(fmt::format("cannot signal {}: {}", target.text(), error_text(error.error())));
            }
    }

    void send_to_trees() {
        std::vector<process::Root> roots;
        for (const auto& target : targets_)
            roots.push_back({target.identity.pid, target.identity.start.value_or(0)});
        const auto result =
            process::signal_trees(roots, config_.signal, process::Waking::those_we_stopped);
        for (const pid_t pid : result.refused)
            fail(fmt::format("cannot signal {}: {}", pid, error_text(EPERM)));
        if (config_.json)
            cli::JsonLine{}
                .set("signal", signal_name(config_.signal))
                .set("processes", result.signalled)
                .print();
        if (config_.verbosity.verbose)
            cli::diagnose(fmt::format("sent {} to {} processes", signal_name(config_.signal),
                                      result.signalled));
    }

    // False when time is up.
    bool wait() {
        const Deadline deadline = Deadline::after_or_never(config_.wait);
        process::Watch watch;
        for (std::size_t number = 0; number < targets_.size(); ++number)
            watch.add(std::move(targets_[number].handle), number);
        std::vector<bool> has_ended(targets_.size());
        while (watch.left() > 0)
            if (!watch.wait(deadline,
                            [&](std::size_t number, auto) { has_ended[number] = true; })) {
                for (std::size_t number = 0; number < targets_.size(); ++number)
                    if (!has_ended[number])
                        cli::diagnose(
                            fmt::format("timed out: {} still runs", targets_[number].text()));
                return false;
            }
        return true;
    }

    void escalate() {
        std::vector<Fd> handles;
        for (auto& target : targets_)
            handles.push_back(std::move(target.handle));
        const auto endings = process::end_in_stages(
            handles, *config_.stages, [this](std::size_t number, const process::Ending& ending) {
                tell_end(targets_[number], ending);
            });
        for (std::size_t number = 0; number < endings.size(); ++number)
            if (!endings[number].has_ended && endings[number].failure.empty())
                fail(fmt::format("{} outlived {}", targets_[number].text(),
                                 process::stages_text(*config_.stages)));
    }

    void tell_end(const Target& target, const process::Ending& ending) {
        if (!ending.failure.empty())
            return fail(fmt::format("cannot signal {}: {}", target.text(), ending.failure));
        if (config_.json)
            cli::JsonLine{}
                .set("pid", target.identity.pid)
                .set("ended_by", ending.signal != 0 ? signal_name(ending.signal) : "")
                .set("seconds", std::chrono::duration<double>{ending.after}.count())
                .print();
        else if (!config_.verbosity.quiet)
            cli::print_line("{} {}", target.text(),
                            ending.signal != 0
                                ? fmt::format("ended by {} after {}", signal_name(ending.signal),
                                              rounded_duration(ending.after))
                                : "had ended already");
        cli::flush();
    }

    const Config& config_;
    std::vector<Target> targets_;
    bool has_failed_ = false;
};

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    constexpr std::size_t handles = 65'536; // one for each process
    (void)raise_descriptor_limit(handles);
    return Sending{config}.run();
}

} // namespace

extern constexpr Applet signal_send{"send a signal to processes", run};

} // namespace ipcbox
