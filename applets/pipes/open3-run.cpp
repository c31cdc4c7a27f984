// open3-run - run a command, and tell its output and its error messages apart
#include "applet.h"
#include "cli/options.h"
#include "cli/values.h"
#include "front/common_options.h"
#include "front/stamped_run.h"

#include <fmt/format.h>
#include <stdexcept>

namespace ipcbox {
namespace {

using dialog::Stamp;

struct Config {
    front::StampedRunPlan plan;
    std::vector<std::string> command;
};

// Throws UsageError when the format makes too long a text.
void check_format(const front::StampedRunPlan& plan) try {
    (void)plan.stamp(dialog::Moment::zero());
} catch (const std::invalid_argument& error) {
    throw cli::UsageError(fmt::format("+{}: {}", *plan.format, error.what()));
}

// A first word "+FORMAT" is for us, as in annotate-output(1).
void take_format(Config& config) {
    if (config.command.empty() || !config.command.front().starts_with('+')) return;
    config.plan.format = config.command.front().substr(1);
    config.command.erase(config.command.begin());
    if (!config.command.empty() && config.command.front() == "--")
        config.command.erase(config.command.begin());
}

Config parse(const Invocation& invocation) {
    Config config;
    auto& plan = config.plan;
    bool since_start = false;
    bool since_last = false;
    // The format can be followed by more options.
    std::vector<char*> words{invocation.arguments.begin(), invocation.arguments.end()};
    if (!words.empty() && words.front()[0] == '+') {
        plan.format = words.front() + 1;
        words.erase(words.begin());
    }
    const Invocation rest{invocation.name, invocation.summary, words};
    cli::Options options{rest, "[+FORMAT] [--] COMMAND [ARGUMENT...]"};
    options.command(config.command);
    options.flag("-i,--incremental", since_last, "show the time since the previous line");
    options.flag("-s,--since-start", since_start, "show the time since the start");
    options.flag("-m,--monotonic", plan.monotonic,
                 "use a clock that does not jump when the time of day is set");
    options.json(plan.json);
    options.value("--split-dir DIR", plan.split_directory, cli::parse_file,
                  "write the lines to the files stdout, stderr and info in DIR");
    options.value("--tee-out FILE", plan.tee_output, cli::parse_file,
                  "copy the command's standard output to FILE, unchanged");
    options.value("--tee-err FILE", plan.tee_error, cli::parse_file,
                  "copy the command's standard error to FILE, unchanged");
    options.flag("--fail-on-stderr", plan.fail_on_stderr,
                 "exit with 1 if the command succeeds but has written to standard error");
    front::declare_fork_retry(options, plan.fork_retry);
    options.note("Each line begins with the time and a letter: O for standard output, E for "
                 "standard error, or I for the start and the end of the command. -q leaves out the "
                 "I lines. After 100 ms, an unfinished line appears with + instead of a colon. "
                 "+FORMAT is a format of date(1). The status is that of the command.");
    options.example("open3-run make", "show which lines of make are errors");
    options.example("open3-run +%.T -q -- ./job", "show microseconds, but no I lines");
    options.example("open3-run --tee-err errors --fail-on-stderr -- ./backup.sh",
                    "keep the errors in a file, and fail if the job prints any");
    plan.quiet = options.parse().quiet;
    take_format(config);
    if (config.command.empty()) throw cli::UsageError("COMMAND is missing");
    if (since_start && since_last)
        throw cli::UsageError("--incremental and --since-start cannot be combined");
    if (since_start) plan.kind = Stamp::Kind::since_start;
    if (since_last) plan.kind = Stamp::Kind::since_last;
    if (plan.json && !plan.format && !since_start && !since_last) plan.kind = Stamp::Kind::utc;
    check_format(plan);
    return config;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    return front::run_command(config.command, [&config](const front::Command& command) {
        front::StampedRun run{config.plan, command};
        const auto status = run.to_end();
        return run.status_after(status);
    });
}

} // namespace

extern constexpr Applet open3_run{"run a command and mark each line as output or error", run};

} // namespace ipcbox
