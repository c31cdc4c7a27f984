// pipe-run - run a pipeline without a shell, and tell how each stage ended
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/duration.h"
#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/number.h"
#include "core/privileges.h"
#include "dialog/pipeline_run.h"
#include "dialog/redirections.h"
#include "front/common_options.h"
#include "front/run_command.h"
#include "front/stage_end.h"
#include "process/supervise.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace ipcbox {
namespace {

using dialog::StageEnd;

// "VALUE" or "STAGE=VALUE".
template <class Value> struct ForStage {
    std::optional<std::size_t> stage; // counted from 1
    Value value;
};
using Words = std::vector<std::string>;

struct Config {
    std::string separator = "--then";
    dialog::RedirectionNames files;
    dialog::PipelineLimits limits{.kill_after = std::chrono::seconds{5}};
    ForkRetry fork_retry;
    dialog::BrokenPipe broken_pipe = dialog::BrokenPipe::excused;
    std::vector<ForStage<cli::Owner>> users;
    std::vector<ForStage<std::string>> copies;
    std::string report;
    bool json = false;
    cli::Verbosity verbosity;
    std::vector<Words> stages;
};

template <class Parser> auto for_stage(Parser parse) {
    return [parse](std::string_view text) {
        using Value = decltype(parse(text));
        const auto equals = text.find('=');
        if (equals == std::string_view::npos) return ForStage<Value>{std::nullopt, parse(text)};
        const auto stage = whole_number<std::size_t>(text.substr(0, equals));
        if (!stage) return ForStage<Value>{std::nullopt, parse(text)};
        if (*stage == 0) throw std::invalid_argument("expected a stage from 1 on");
        return ForStage<Value>{stage, parse(text.substr(equals + 1))};
    };
}

std::vector<Words> split(std::span<const std::string> words, const std::string& separator) {
    std::vector<Words> stages(1);
    for (const auto& word : words)
        if (word == separator)
            stages.emplace_back();
        else
            stages.back().push_back(word);
    for (std::size_t stage = 0; stage < stages.size(); ++stage)
        if (stages[stage].empty())
            throw cli::UsageError(fmt::format("stage {} is empty: expected a COMMAND {} {}",
                                              stage + 1, stage == 0 ? "before" : "after",
                                              separator));
    return stages;
}

void check(const Config& config) {
    if (!config.files.whole.empty() && (!config.files.output.empty() || config.files.appends))
        throw cli::UsageError("--atomic cannot be combined with --output or --append");
    if (config.files.appends && config.files.output.empty())
        throw cli::UsageError("--append needs --output");
    const auto in_range = [&](std::optional<std::size_t> stage, std::string_view option) {
        if (stage && *stage > config.stages.size())
            throw cli::UsageError(fmt::format("{} {}=...: there {} only {} {}", option, *stage,
                                              config.stages.size() == 1 ? "is" : "are",
                                              config.stages.size(),
                                              config.stages.size() == 1 ? "stage" : "stages"));
    };
    for (const auto& user : config.users)
        in_range(user.stage, "--user");
    std::vector<bool> has_copy(config.stages.size() + 1);
    for (const auto& copy : config.copies) {
        in_range(copy.stage, "--tee");
        const auto stage = copy.stage.value_or(config.stages.size());
        if (has_copy[stage])
            throw cli::UsageError(fmt::format("--tee: stage {} has a file already", stage));
        has_copy[stage] = true;
    }
}

Config parse(const Invocation& invocation) {
    Config config;
    std::vector<std::string> words;
    bool strict = false;
    cli::Options options{invocation, "-- COMMAND... [--then COMMAND...]..."};
    options.command(words);
    options.value("--separator WORD", config.separator, cli::parse_text,
                  "the word between two stages (default --then)");
    options.section("Files");
    options.value("-i,--input FILE", config.files.input, cli::parse_file,
                  "let the first stage read FILE");
    options.value("-o,--output FILE", config.files.output, cli::parse_file,
                  "let the last stage write to FILE");
    options.flag("-a,--append", config.files.appends,
                 "with -o: append to FILE instead of truncating it");
    options.value("--atomic FILE", config.files.whole, cli::parse_file,
                  "like -o, but replace FILE only if every stage succeeds");
    options.value("-e,--error FILE", config.files.error, cli::parse_file,
                  "append the standard error of all stages to FILE");
    options.values("--tee [STAGE=]FILE", config.copies, for_stage(cli::parse_file),
                   "copy the output of a stage (default: the last one) to FILE");
    options.section("Rights and limits");
    options.values("-u,--user [STAGE=]USER[:GROUP]", config.users, for_stage(cli::parse_owner),
                   "run a stage (default: all stages) as this user");
    options.value("-t,--timeout DURATION", config.limits.time, cli::parse_positive_duration,
                  "end all stages and the processes that they started after DURATION");
    options.value("--line-timeout DURATION", config.limits.line, cli::parse_positive_duration,
                  "end all stages if the last one writes no line for DURATION");
    options.value("-k,--kill-after DURATION", config.limits.kill_after, cli::parse_duration,
                  "send KILL this long after TERM (default 5s)");
    front::declare_fork_retry(options, config.fork_retry);
    options.section("Failures and reports");
    options.flag("--strict", strict, "count every stage killed by PIPE as a failure");
    options.value("--report FILE", config.report, cli::parse_file,
                  "append a JSON object for each stage to FILE");
    options.flag("-J,--json", config.json,
                 "report each stage on standard error as a JSON object on one line");
    options.note("pipe-run looks for all programs before it runs any of them. Its status is that "
                 "of the last stage that failed. If PIPE killed a stage and a later stage "
                 "succeeded, that is not a failure.");
    options.example("pipe-run -- zcat log.gz --then grep -c error",
                    "count the errors, and fail if zcat or grep fails");
    options.example("pipe-run --atomic db.gz -- dump db --then gzip",
                    "replace db.gz only with a complete dump");
    options.example("pipe-run -u 1=nobody -- ./untrusted --then sort",
                    "run the first stage with fewer rights");
    config.verbosity = options.parse();
    if (words.empty()) throw cli::UsageError("COMMAND is missing");
    config.stages = split(words, config.separator);
    config.files.commands = std::move(words);
    if (strict) config.broken_pipe = dialog::BrokenPipe::strict;
    check(config);
    return config;
}

std::vector<dialog::PipelineStage> plan(const Config& config,
                                        const std::vector<front::Command>& commands,
                                        std::vector<Credentials>& users) {
    std::vector<dialog::PipelineStage> stages;
    for (const auto& command : commands)
        stages.push_back({command.program(), command.words()});
    users.reserve(config.users.size());
    for (const auto& [stage, owner] : config.users) {
        users.push_back(credentials_of(owner.uid, owner.gid, owner.name));
        for (std::size_t which = 0; which < stages.size(); ++which)
            if (!stage || *stage == which + 1) stages[which].user = &users.back();
    }
    for (const auto& [stage, file] : config.copies)
        stages[stage.value_or(stages.size()) - 1].copy = file;
    stages.back().watches_lines = config.limits.line.has_value();
    return stages;
}

std::string text_of(const StageEnd& end) {
    return fmt::format("{} after {}", end.status.text(), rounded_duration(end.time));
}

// Like a shell, we say nothing about a program that died of SIGPIPE, because its reader had read
// enough.
bool is_told(const Config& config, const StageEnd& end, bool has_failed) {
    if (config.verbosity.verbose) return true;
    const bool is_silent =
        end.status.signal() == SIGPIPE && config.broken_pipe == dialog::BrokenPipe::excused;
    return has_failed && !is_silent && !config.verbosity.quiet;
}

void report(const Config& config, std::span<const StageEnd> ends,
            std::span<const std::size_t> failed) {
    std::string json;
    for (std::size_t stage = 0; stage < ends.size(); ++stage) {
        const auto& words = config.stages[stage];
        const bool has_failed = std::ranges::find(failed, stage) != failed.end();
        cli::JsonLine line;
        line.set("stage", stage + 1);
        front::add_stage_end(line, words, ends[stage], has_failed);
        if (ends[stage].bytes) line.set("bytes", *ends[stage].bytes);
        json += line.text();
        if (!config.json && is_told(config, ends[stage], has_failed))
            cli::diagnose(fmt::format("stage {} ({}): {}", stage + 1, cli::visible(words.front()),
                                      config.verbosity.verbose ? text_of(ends[stage])
                                                               : ends[stage].status.text()));
    }
    if (config.json) write_all(STDERR_FILENO, json, "standard error");
    if (config.report.empty()) return;
    const Fd file = open_file(config.report, O_WRONLY | O_CREAT | O_APPEND, new_file_mode);
    write_all(file.get(), json, config.report);
}

// "stage 1 (sleep), stage 2 (cat)"
std::string names(const Config& config, std::span<const std::size_t> stages) {
    std::string text;
    for (const auto stage : stages)
        text += fmt::format("{}stage {} ({})", text.empty() ? "" : ", ", stage + 1,
                            cli::visible(config.stages[stage].front()));
    return text;
}

// The status of the run: our own, or that of the stage that counts.
struct Outcome {
    int status = exit_status::done;
    std::optional<WaitStatus> failed_stage{};
};

Outcome run_pipeline(const Config& config, const std::vector<front::Command>& commands) {
    std::vector<Credentials> users;
    const auto stages = plan(config, commands, users);
    dialog::Redirections files{config.files};
    auto streams = files.streams();
    streams.retry = &config.fork_retry;
    dialog::PipelineRun run{stages, streams, config.limits};
    try {
        const auto ends = run.to_end();
        const auto failed = dialog::failed_stages(ends, config.broken_pipe);
        report(config, ends, failed);
        const auto lost_copies = run.failures();
        for (const auto& failure : lost_copies)
            cli::diagnose(failure);
        if (!run.late().empty())
            throw TimedOut(fmt::format("still running: {}", names(config, run.late())));
        if (!failed.empty()) return {exit_status::failed, ends[failed.back()].status};
        if (!lost_copies.empty()) return {exit_status::failed};
        files.commit();
        return {};
    } catch (const Error& error) { // 125 is only for errors before the start
        cli::diagnose(error.what());
        return {error.status()};
    }
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    return front::run_command(config.stages.front(), [&config](const front::Command& first) {
        std::vector<front::Command> commands{first};
        for (const auto& words : std::span{config.stages}.subspan(1))
            commands.emplace_back(words);
        const auto [status, failed_stage] = run_pipeline(config, commands);
        return failed_stage ? process::end_as(*failed_stage) : status;
    });
}

} // namespace

extern constexpr Applet pipe_run{"run a pipeline and report how each stage ended", run};

} // namespace ipcbox
