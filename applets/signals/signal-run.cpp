// signal-run - run a command with its signals ignored, blocked, rewritten or answered
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/error.h"
#include "core/io.h"
#include "core/process_info.h"
#include "core/signals.h"
#include "core/spawn.h"
#include "core/user.h"
#include "front/common_options.h"
#include "front/run_command.h"
#include "process/dispositions.h"
#include "process/supervise.h"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <unistd.h>

namespace ipcbox {
namespace {

using Signals = std::vector<int>;

// The script to run when a signal arrives.
struct Answer {
    Signals signals;
    std::string script;
};

struct Config {
    std::vector<Signals> ignored;
    std::vector<Signals> defaulted;
    std::vector<Signals> blocked;
    std::vector<Answer> answers;
    std::vector<process::Rewrite> rewrites;
    std::optional<Duration> ignore_for;
    bool log = false;
    bool json = false; // logs objects
    ForkRetry fork_retry;
    cli::Verbosity verbosity;
    std::vector<std::string> command;

    // Whether we can simply become the command. Otherwise we stay beside it.
    [[nodiscard]] bool only_sets_dispositions() const {
        return answers.empty() && rewrites.empty() && !ignore_for && !log && !json;
    }
};

Answer parse_answer(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == std::string_view::npos || equals + 1 == text.size())
        throw std::invalid_argument("expected SIGNAL=COMMAND, such as USR1='./report'");
    return {process::parse_signals(text.substr(0, equals)), std::string{text.substr(equals + 1)}};
}

process::Rewrite parse_rewrite(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos)
        throw std::invalid_argument("expected FROM:TO, such as TERM:QUIT, or TERM:0 to drop TERM");
    const auto from = process::parse_signals(text.substr(0, colon));
    const auto to = text.substr(colon + 1);
    return {from.front(), to == "0" ? 0 : cli::parse_signal(to)};
}

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[--] COMMAND [ARGUMENT...]"};
    options.command(config.command);
    options.values("--ignore SIGNALS", config.ignored, process::parse_signals,
                   "start the command with these signals ignored, such as TERM,INT or all");
    options.values("--default SIGNALS", config.defaulted, process::parse_signals,
                   "start the command with the default handling of these signals");
    options.values("--block SIGNALS", config.blocked, process::parse_signals,
                   "start the command with these signals blocked");
    options.values("--on SIGNAL=COMMAND", config.answers, parse_answer,
                   "run a command line with /bin/sh when this signal arrives, instead of passing "
                   "it on");
    options.values("--rewrite FROM:TO", config.rewrites, parse_rewrite,
                   "pass on signal TO instead of FROM; 0 drops the signal");
    options.value("--ignore-for DURATION", config.ignore_for, cli::parse_duration,
                  "drop the signals of --ignore for this long, and then pass them on");
    options.flag("--log", config.log, "print on standard error which process sent each signal");
    options.flag("-J,--json", config.json, "print the lines of --log as JSON objects");
    front::declare_fork_retry(options, config.fork_retry);
    options.note("With only --ignore, --default and --block, signal-run becomes the command. With "
                 "other options, it keeps running beside the command and passes signals on.");
    options.example("signal-run --ignore HUP ./job",
                    "keep running when the terminal is closed, like nohup");
    options.example("signal-run --default all ./job",
                    "restore the default handling of all signals");
    options.example("signal-run --rewrite TERM:QUIT nginx", "let TERM end nginx gracefully");
    config.verbosity = options.parse();
    if (config.command.empty()) throw cli::UsageError("COMMAND is missing");
    if (config.ignore_for && config.ignored.empty())
        throw cli::UsageError("--ignore-for needs --ignore");
    return config;
}

bool contains(const std::vector<Signals>& lists, int signal) {
    return std::ranges::any_of(lists, [signal](const Signals& signals) {
        return std::ranges::find(signals, signal) != signals.end();
    });
}

// The more specific option comes later and wins.
void set_dispositions(const Config& config) {
    std::ranges::for_each(config.defaulted, process::set_default);
    if (!config.ignore_for) std::ranges::for_each(config.ignored, process::ignore_signals);
    std::ranges::for_each(config.blocked, process::block_in_programs);
}

std::string sender_text(const SignalEvent& event) {
    if (!event.from_process) return "the kernel";
    if (event.sender == 0) return "a process of another PID namespace";
    const auto sender = find_process(event.sender);
    return sender ? sender->text()
                  : fmt::format("{} ({}, ended)", event.sender, user_name(event.user));
}

// The pid is 0 when the sender is in another PID namespace. The name of a sender that has ended is
// not known.
std::string json_of(const SignalEvent& event) {
    cli::JsonLine line;
    line.set("signal", signal_name(event.number)).set_flag("kernel", !event.from_process);
    if (!event.from_process) return line.text();
    line.set("pid", event.sender).set("uid", event.user).set("user", user_name(event.user));
    if (const auto sender = event.sender > 0 ? find_process(event.sender) : std::nullopt)
        line.set("name", sender->name);
    return line.text();
}

void log_signal(const Config& config, const SignalEvent& event) {
    if (!config.json) {
        if (config.log)
            cli::diagnose(
                fmt::format("got {} from {}", signal_name(event.number), sender_text(event)));
        return;
    }
    try {
        write_all(STDERR_FILENO, json_of(event), "standard error");
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): there is nowhere to report it
    }
}

void run_answer(const Answer& answer, int signal, pid_t command) {
    ::setenv("SIGNAL", signal_name(signal).c_str(), 1);
    ::setenv("SIGNAL_PID", fmt::format("{}", command).c_str(), 1);
    const std::vector<std::string> words{"sh", "-c", answer.script};
    try {
        // The supervisor waits for it.
        spawn("/bin/sh", words, {}).release();
    } catch (const Error& error) {
        cli::diagnose(error.what());
    }
}

int run_beside(const Config& config, const front::Command& command) {
    pid_t pid = 0;
    const Deadline ignored_until = Deadline::after(config.ignore_for.value_or(Duration::zero()));
    const auto on_signal = [&](const SignalEvent& event) {
        log_signal(config, event);
        bool is_answered = false;
        for (const auto& answer : config.answers)
            if (contains({answer.signals}, event.number)) {
                run_answer(answer, event.number, pid);
                is_answered = true;
            }
        if (is_answered) return false;
        return !(config.ignore_for && contains(config.ignored, event.number) &&
                 !ignored_until.passed());
    };
    process::Supervised supervised{
        command.program(),
        command.words(),
        {.rewrites = config.rewrites, .retry = &config.fork_retry, .on_signal = on_signal}};
    pid = supervised.pid();
    return process::end_as(*supervised.wait());
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    return front::run_command(config.command, [&config](const front::Command& command) {
        set_dispositions(config);
        if (config.only_sets_dispositions()) command.become();
        return run_beside(config, command);
    });
}

} // namespace

extern constexpr Applet signal_run{"run a command and change how it handles signals", run};

} // namespace ipcbox
