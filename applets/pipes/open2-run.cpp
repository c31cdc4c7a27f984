// open2-run - connect two commands with each other, or ask one command line by line
#include "applet.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/duration.h"
#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/program.h"
#include "dialog/asked_command.h"
#include "dialog/pipeline_run.h"
#include "dialog/questions.h"
#include "dialog/stuck_watch.h"
#include "dialog/transcript_file.h"
#include "front/common_options.h"
#include "front/run_command.h"
#include "front/stage_end.h"
#include "front/terminal_run.h"
#include "process/supervise.h"

#include <algorithm>
#include <array>
#include <unistd.h>

namespace ipcbox {
namespace {

using Words = std::vector<std::string>;

struct Config {
    std::vector<std::string> questions;
    std::string separator = "--with";
    std::optional<std::string> tap;
    Duration stuck = std::chrono::seconds{10};
    dialog::PipelineLimits limits;
    std::optional<Duration> kill_after;
    bool on_terminal = false;              // gives each command one
    std::optional<int> number_on_terminal; // gives one only to command 1 or 2
    ForkRetry fork_retry;
    bool json = false;
    cli::Verbosity verbosity;
    Words first;
    Words second; // empty with questions

    [[nodiscard]] bool is_on_terminal(int number) const {
        return on_terminal || number_on_terminal == number;
    }
    [[nodiscard]] bool has_terminal() const { return on_terminal || number_on_terminal; }
};

void check_questions(const Config& config) {
    if (config.json) throw cli::UsageError("--json and --ask cannot be combined");
    if (config.number_on_terminal)
        throw cli::UsageError("--pty-of and --ask cannot be combined; use --pty");
    if (config.kill_after)
        throw cli::UsageError("--kill-after and --ask cannot be combined: at the end of its time, "
                              "the command gets KILL immediately");
    for (const auto& question : config.questions)
        if (question.find('\n') != std::string::npos)
            throw cli::UsageError("--ask: expected one LINE, without a line feed");
}

void split(const Words& words, Config& config) {
    const auto middle = std::ranges::find(words, config.separator);
    config.first.assign(words.begin(), middle);
    if (middle != words.end()) config.second.assign(middle + 1, words.end());
    if (!config.questions.empty()) {
        check_questions(config);
        if (middle != words.end())
            throw cli::UsageError("--ask takes only one COMMAND, without " + config.separator);
        return;
    }
    if (config.first.empty() || config.second.empty())
        throw cli::UsageError(fmt::format("expected a COMMAND {} {}",
                                          config.first.empty() ? "before" : "after",
                                          config.separator));
    if (std::ranges::find(config.second, config.separator) != config.second.end())
        throw cli::UsageError(config.separator +
                              " can be given only once, because there are two commands");
}

Config parse(const Invocation& invocation) {
    Config config;
    Words words;
    cli::Options options{invocation, "[--ask LINE]... -- COMMAND... [--with COMMAND...]"};
    options.command(words);
    options.values(
        "--ask LINE", config.questions, cli::parse_text,
        "send LINE, and print one line of the answer; - sends each line of standard input");
    options.value("--separator WORD", config.separator, cli::parse_text,
                  "the word between the two commands (default --with)");
    options.value("--tap FILE", config.tap, cli::parse_file,
                  "log each line to FILE, with its time and its command");
    options.flag("--pty", config.on_terminal,
                 "run each command on its own terminal, so that it buffers less");
    options.value("--pty-of NUMBER", config.number_on_terminal, cli::number_between(1, 2),
                  "run only command NUMBER, 1 or 2, on its own terminal");
    options.value("--stuck DURATION", config.stuck, cli::parse_time_limit,
                  "warn when all commands wait for input for this long (default 10s; 0: never)");
    options.value("-t,--timeout DURATION", config.limits.time, cli::parse_positive_duration,
                  "end the commands after DURATION (status 124)");
    options.value("-k,--kill-after DURATION", config.kill_after, cli::parse_duration,
                  "with two commands: send KILL this long after TERM (default 5s)");
    front::declare_fork_retry(options, config.fork_retry);
    options.json(config.json);
    options.note("With --with, each command reads the output of the other. The status is that of "
                 "the second command if it failed, and otherwise that of the first. If PIPE killed "
                 "a command and the other one succeeded, that is not a failure.");
    options.example("open2-run --tap log -- ./client --with ./server",
                    "let two programs talk, and log the conversation");
    options.example("open2-run --ask '6*7' --ask 2^10 -- bc", "ask bc two questions");
    options.example("open2-run --pty --ask secret -- ./login",
                    "answer a program that asks only on a terminal");
    config.verbosity = options.parse();
    if (words.empty()) throw cli::UsageError("COMMAND is missing");
    if (config.on_terminal && config.number_on_terminal)
        throw cli::UsageError("--pty and --pty-of cannot be combined");
    split(words, config);
    config.limits.kill_after = config.kill_after.value_or(std::chrono::seconds{5});
    return config;
}

bool has_failed(WaitStatus status, WaitStatus other) {
    if (status.succeeded()) return false;
    return !status.is_broken_pipe() || !other.succeeded();
}

void report(const Config& config, const Words& words, int number, const dialog::StageEnd& end,
            bool failed) {
    if (config.json) {
        cli::JsonLine line;
        line.set("number", number);
        front::add_stage_end(line, words, end, failed);
        write_all(STDERR_FILENO, line.text(), "standard error");
    } else if (config.verbosity.verbose || (failed && !config.verbosity.quiet)) {
        cli::diagnose(fmt::format("command {} ({}): {}", number, cli::visible(words.front()),
                                  end.status.text()));
    }
}

// The first word of our own program when it gives a command a terminal, types its input there, and
// returns its status. It is this applet, so that its errors have our name.
constexpr std::string_view terminal_mark = "--run-one-on-a-terminal";

int run_on_terminal(const Words& words) {
    constexpr dialog::PtyRelayPlan::Input typed = dialog::PtyRelayPlan::Input::bytes;
    return front::run_command(words, [](const front::Command& command) {
        return front::run_on_terminal({.input = typed, .splits_errors = true}, command);
    });
}

// How a command is started: by itself, or by our own program on a terminal.
struct Started {
    Started(const front::Command& command, bool on_terminal)
        : program(on_terminal ? own_program() : command.program()) {
        if (on_terminal) words = {"open2-run", std::string{terminal_mark}};
        words.insert(words.end(), command.words().begin(), command.words().end());
    }
    std::string program;
    Words words;
};

void warn_if_stuck(dialog::StuckWatch& watch, const Config& config,
                   std::span<const pid_t> commands) {
    if (!watch.is_stuck_now(commands)) return;
    cli::diagnose(
        fmt::format("warning: {} for {}; is there output in a buffer?{}",
                    config.second.empty() ? "the command waits for more input and has not answered"
                                          : "both commands have waited for each other",
                    rounded_duration(config.stuck), config.has_terminal() ? "" : " Try --pty"));
}

// Whether the file of --tap is complete. If not, prints why.
bool is_whole(const dialog::TranscriptFile& tapped) {
    if (tapped.failure().empty()) return true;
    cli::diagnose(tapped.failure());
    return false;
}

int converse(const Config& config, const front::Command& first, const front::Command& second) {
    dialog::TranscriptFile tapped{config.tap};
    dialog::StuckWatch watch{config.stuck, 2, config.has_terminal()};
    const std::array started{Started{first, config.is_on_terminal(1)},
                             Started{second, config.is_on_terminal(2)}};
    std::vector<dialog::PipelineStage> stages{{started[0].program, started[0].words},
                                              {started[1].program, started[1].words}};
    for (std::size_t party = 0; tapped && party < stages.size(); ++party)
        stages[party].listener = [&tapped, party](std::string_view bytes) {
            tapped.say(party, bytes);
        };
    Pipe back = make_pipe();
    dialog::PipelineRun run{
        stages,
        {.input = back.reader.get(), .output = back.writer.get(), .retry = &config.fork_retry},
        config.limits,
        {watch.every(),
         [&](std::span<const pid_t> commands) { warn_if_stuck(watch, config, commands); }}};
    back = Pipe{}; // else we keep the pipe open, and it has no end of file
    try {
        const auto ends = run.to_end();
        tapped.finish();
        const bool first_failed = has_failed(ends[0].status, ends[1].status);
        const bool second_failed = has_failed(ends[1].status, ends[0].status);
        report(config, config.first, 1, ends[0], first_failed);
        report(config, config.second, 2, ends[1], second_failed);
        const bool is_tapped = is_whole(tapped);
        if (!run.late().empty()) throw TimedOut("the commands were still running");
        if (second_failed) return process::end_as(ends[1].status);
        if (first_failed) return process::end_as(ends[0].status);
        return is_tapped ? exit_status::done : exit_status::failed;
    } catch (const Error& error) { // 125 is only for errors before the start
        cli::diagnose(error.what());
        return error.status();
    }
}

int ask_all(const Config& config, dialog::AskedCommand& asked, dialog::TranscriptFile& tapped) {
    const Deadline deadline = Deadline::after_or_never(config.limits.time);
    const auto sink = [&tapped](std::string_view bytes) {
        cli::print(bytes);
        cli::flush();
        tapped.say(1, bytes);
    };
    bool all_were_answered = true;
    dialog::Questions questions{config.questions};
    while (const auto question = questions.next()) {
        tapped.say(0, *question + "\n");
        if (asked.ask(*question, sink, deadline)) continue;
        all_were_answered = false;
        cli::diagnose(fmt::format("no answer to {}: {} has ended its output",
                                  cli::visible(*question), cli::visible(config.first.front())));
        break;
    }
    const auto status = asked.finish(sink, deadline);
    tapped.finish();
    const bool is_tapped = is_whole(tapped);
    if (!status.succeeded()) return process::end_as(status);
    return all_were_answered && is_tapped ? exit_status::done : exit_status::failed;
}

int ask(const Config& config, const front::Command& command) {
    dialog::TranscriptFile tapped{config.tap};
    dialog::StuckWatch watch{config.stuck, 1, config.on_terminal};
    const Started started{command, config.on_terminal};
    dialog::AskedCommand asked{started.program, started.words, &config.fork_retry};
    if (const auto every = watch.every())
        asked.watch(*every, [&] {
            const pid_t pid = asked.pid();
            warn_if_stuck(watch, config, {&pid, 1});
        });
    try {
        return ask_all(config, asked, tapped);
    } catch (const Error& error) {
        cli::diagnose(error.what());
        return error.status();
    }
}

int run(const Invocation& invocation) {
    const auto arguments = invocation.arguments;
    if (!arguments.empty() && arguments.front() == terminal_mark)
        return run_on_terminal({arguments.begin() + 1, arguments.end()});
    const Config config = parse(invocation);
    return front::run_command(config.first, [&config](const front::Command& first) {
        return config.second.empty() ? ask(config, first)
                                     : converse(config, first, front::Command{config.second});
    });
}

} // namespace

extern constexpr Applet open2_run{"let two commands talk to each other, or question one", run};

} // namespace ipcbox
