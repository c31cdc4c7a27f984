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
#include "dialog/asked_command.h"
#include "dialog/pipeline_run.h"
#include "dialog/transcript.h"
#include "front/common_options.h"
#include "front/run_command.h"
#include "front/stage_end.h"
#include "process/activity.h"
#include "process/supervise.h"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace ipcbox {
namespace {

using Words = std::vector<std::string>;

struct Config {
    std::vector<std::string> questions;
    std::string separator = "--with";
    std::optional<std::string> tap;
    Duration stuck = std::chrono::seconds{10};
    dialog::PipelineLimits limits{.kill_after = std::chrono::seconds{5}};
    ForkRetry fork_retry;
    bool json = false;
    cli::Verbosity verbosity;
    Words first;
    Words second; // empty with questions
};

void split(const Words& words, Config& config) {
    const auto middle = std::ranges::find(words, config.separator);
    config.first.assign(words.begin(), middle);
    if (middle != words.end()) config.second.assign(middle + 1, words.end());
    if (!config.questions.empty()) {
        if (config.json) throw cli::UsageError("--json goes with two commands, not with --ask");
        if (middle != words.end())
            throw cli::UsageError("--ask takes one COMMAND, without " + config.separator);
        return;
    }
    if (config.first.empty() || config.second.empty())
        throw cli::UsageError(fmt::format("expected a COMMAND {} {}",
                                          config.first.empty() ? "before" : "after",
                                          config.separator));
    if (std::ranges::find(config.second, config.separator) != config.second.end())
        throw cli::UsageError(config.separator + " can be given once: there are two commands");
}

Config parse(const Invocation& invocation) {
    Config config;
    Words words;
    cli::Options options{invocation, "[--ask LINE]... -- COMMAND... [--with COMMAND...]"};
    options.command(words);
    options.values("--ask LINE", config.questions, cli::parse_text,
                   "send LINE and print one line of answer; - sends the lines of standard input");
    options.value("--separator WORD", config.separator, cli::parse_text,
                  "the word between the two commands (default --with)");
    options.value("--tap FILE", config.tap, cli::parse_text,
                  "write each line to FILE, with its command and its time");
    options.value("--stuck DURATION", config.stuck, cli::parse_time_limit,
                  "warn when all commands wait for input for this long (default 10s; 0: never)");
    options.value("-t,--timeout DURATION", config.limits.time, cli::parse_positive_duration,
                  "end the commands after DURATION (status 124)");
    options.value("-k,--kill-after DURATION", config.limits.kill_after, cli::parse_duration,
                  "with two commands: send KILL this long after TERM (default 5s)");
    front::declare_fork_retry(options, config.fork_retry);
    options.json(config.json);
    options.note("With --with, each command reads the output of the other one. The status is that "
                 "of the second command if it failed, and otherwise that of the first. A command "
                 "killed by PIPE is no failure if the other one succeeded.");
    options.example("open2-run --tap log -- ./client --with ./server",
                    "let two programs talk, and keep what they say");
    options.example("open2-run --ask '6*7' --ask 2^10 -- bc", "ask bc twice");
    config.verbosity = options.parse();
    if (words.empty()) throw cli::UsageError("COMMAND is missing");
    split(words, config);
    return config;
}

// The file of --tap.
class Tapped {
  public:
    explicit Tapped(const std::optional<std::string>& name) : name_(name.value_or("")) {
        if (name) file_ = open_file(*name, O_WRONLY | O_CREAT | O_TRUNC, new_file_mode);
    }
    explicit operator bool() const { return static_cast<bool>(file_); }

    void say(std::size_t party, std::string_view bytes) {
        if (file_) write_all(file_.get(), transcript_.say(party, bytes), name_);
    }
    void finish() {
        if (!file_) return;
        write_all(file_.get(), transcript_.finish(), name_);
        file_.close(name_);
    }

  private:
    std::string name_;
    Fd file_;
    dialog::Transcript transcript_{2};
};

// Sees that all commands wait for input, and that nothing has happened for as long as --stuck says.
class StuckWatch {
  public:
    explicit StuckWatch(Duration limit) : limit_(limit) {}

    [[nodiscard]] std::optional<Duration> every() const {
        if (limit_ == Duration::max()) return std::nullopt;
        return std::max<Duration>(limit_ / 8, std::chrono::milliseconds{10});
    }
    void look(std::span<const pid_t> pids, std::size_t parties) {
        const auto now = process::activity_below(::getpid());
        const bool all_wait =
            pids.size() == parties && std::ranges::all_of(pids, process::waits_for_input);
        if (!all_wait || now != last_) since_ = Deadline::Clock::now();
        last_ = now;
        if (was_told_ || Deadline::Clock::now() - since_ < limit_) return;
        was_told_ = true;
        cli::diagnose(fmt::format(
            "warning: {} for {}; is there output in a buffer? Try stdbuf -oL before the command",
            parties == 1 ? "the command waits for more input and has not answered"
                         : "both commands have waited for each other",
            rounded_duration(limit_)));
    }

  private:
    Duration limit_;
    process::Activity last_{};
    Deadline::Clock::time_point since_ = Deadline::Clock::now();
    bool was_told_ = false;
};

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

int converse(const Config& config, const front::Command& first, const front::Command& second) {
    Tapped tapped{config.tap};
    StuckWatch watch{config.stuck};
    std::vector<dialog::PipelineStage> stages{{first.program(), first.words()},
                                              {second.program(), second.words()}};
    for (std::size_t party = 0; tapped && party < stages.size(); ++party)
        stages[party].listener = [&tapped, party](std::string_view bytes) {
            tapped.say(party, bytes);
        };
    Pipe back = make_pipe();
    dialog::PipelineRun run{
        stages,
        {.input = back.reader.get(), .output = back.writer.get(), .retry = &config.fork_retry},
        config.limits,
        {watch.every(), [&watch](std::span<const pid_t> pids) { watch.look(pids, 2); }}};
    back = Pipe{}; // otherwise its end of file never comes
    try {
        const auto ends = run.to_end();
        tapped.finish();
        const bool first_failed = has_failed(ends[0].status, ends[1].status);
        const bool second_failed = has_failed(ends[1].status, ends[0].status);
        report(config, config.first, 1, ends[0], first_failed);
        report(config, config.second, 2, ends[1], second_failed);
        if (!run.late().empty()) throw TimedOut("the commands still ran");
        if (second_failed) return process::end_as(ends[1].status);
        return first_failed ? process::end_as(ends[0].status) : exit_status::done;
    } catch (const Error& error) { // after the start, so not with the 125 of an error before it
        cli::diagnose(error.what());
        return error.status();
    }
}

// Gives one question at a time, from the command line, where - stands for the lines of standard
// input.
class Questions {
  public:
    explicit Questions(const std::vector<std::string>& given) : given_(given) {}

    std::optional<std::string> next() {
        while (at_ < given_.size()) {
            if (given_[at_] != "-") return given_[at_++];
            if (auto line = next_of_input()) return line;
            ++at_;
        }
        return std::nullopt;
    }

  private:
    std::optional<std::string> next_of_input() {
        constexpr std::size_t max_line = 1024UL * 1024;
        constexpr std::size_t piece = 4096;
        for (;;) {
            if (const auto end = pending_.find('\n'); end != std::string::npos) {
                auto line = pending_.substr(0, end);
                pending_.erase(0, end + 1);
                return line;
            }
            if (pending_.size() > max_line)
                throw Error(fmt::format("cannot ask: a line of standard input is longer than {} "
                                        "bytes",
                                        max_line));
            const auto before = pending_.size();
            pending_.resize(before + piece);
            const auto size =
                read_some(STDIN_FILENO, std::as_writable_bytes(std::span{pending_}.subspan(before)),
                          "standard input");
            pending_.resize(before + size);
            if (size == 0) {
                if (pending_.empty()) return std::nullopt;
                return std::exchange(pending_, {});
            }
        }
    }

    const std::vector<std::string>& given_;
    std::size_t at_ = 0;
    std::string pending_;
};

int ask_all(const Config& config, dialog::AskedCommand& asked, Tapped& tapped) {
    const Deadline deadline = Deadline::after_or_never(config.limits.time);
    const auto sink = [&tapped](std::string_view bytes) {
        cli::print(bytes);
        cli::flush();
        tapped.say(1, bytes);
    };
    bool all_were_answered = true;
    Questions questions{config.questions};
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
    if (!status.succeeded()) return process::end_as(status);
    return all_were_answered ? exit_status::done : exit_status::failed;
}

int ask(const Config& config, const front::Command& command) {
    Tapped tapped{config.tap};
    StuckWatch watch{config.stuck};
    dialog::AskedCommand asked{command.program(), command.words(), &config.fork_retry};
    if (const auto every = watch.every())
        asked.watch(*every, [&] {
            const pid_t pid = asked.pid();
            watch.look({&pid, 1}, 1);
        });
    try {
        return ask_all(config, asked, tapped);
    } catch (const Error& error) {
        cli::diagnose(error.what());
        return error.status();
    }
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    return front::run_command(config.first, [&config](const front::Command& first) {
        return config.second.empty() ? ask(config, first)
                                     : converse(config, first, front::Command{config.second});
    });
}

} // namespace

extern constexpr Applet open2_run{"let two commands talk to each other, or ask one", run};

} // namespace ipcbox
