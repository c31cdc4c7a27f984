#include "front/expect/run.h"

#include "cli/json.h"
#include "cli/output.h"
#include "core/fd.h"
#include "core/io.h"
#include "core/number.h"
#include "core/signals.h"
#include "core/terminal.h"
#include "expect/script_run.h"
#include "front/expect/recording.h"

#include <csignal>
#include <fcntl.h>
#include <fmt/core.h>
#include <optional>
#include <unistd.h>

namespace ipcbox::front {

namespace {

using dialog::Peer;
using expect::Statement;

constexpr std::size_t told_lines = 20; // shown after a failure

// Prints the command's output. If standard output is no terminal, CR LF becomes LF.
class Screen {
  public:
    void show(std::string_view text) {
        if (is_terminal_) {
            cli::print(text);
        } else {
            std::string lines;
            lines.reserve(text.size() + 1);
            for (const char byte : text) {
                if (has_return_ && byte != '\n') lines += '\r';
                has_return_ = byte == '\r';
                if (!has_return_) lines += byte;
            }
            cli::print(lines);
        }
        cli::flush();
    }
    void finish() {
        if (has_return_) cli::print("\r");
        has_return_ = false;
        cli::flush();
    }

  private:
    bool is_terminal_ = cli::is_terminal(STDOUT_FILENO);
    bool has_return_ = false;
};

// A signal that will end us after the terminal is restored.
struct Ended {
    int signal;
};

Fd open_log(const std::string& name) {
    constexpr mode_t owner_only = 0600; // a dialog can contain secrets that we do not know
    return name.empty() ? Fd{} : open_file(name, O_WRONLY | O_CREAT | O_APPEND, owner_only);
}

class Run {
  public:
    Run(const ExpectOptions& options, Peer& peer)
        : options_(options), peer_(peer), log_(open_log(options.log)) {
        peer_.interrupt_by(signals_.fd());
        if (!options.record.empty()) recording_.emplace(options.record, options.command);
    }

    int follow() {
        expect::Talk talk{peer_,
                          options_.max_buffer,
                          options_.sequences,
                          {.output = [this](std::string_view text) { hear(text); },
                           .interrupt = [this] { take_signals(); },
                           .keys =
                               [this](std::string_view keys) {
                                   if (recording_) recording_->type(keys, peer_);
                               }}};
        expect::ScriptRun script{options_.script, options_.limit, talk,
                                 [this](std::string_view what, const Statement& statement,
                                        std::string_view text) { tell(what, statement, text); }};
        try {
            const int status = script.run();
            finish(status);
            return status;
        } catch (const Ended&) {
            if (recording_) recording_->finish();
            throw;
        } catch (const expect::TalkFailed& error) {
            // On a terminal, the user has seen these lines already.
            if (options_.hides_output || options_.json || !cli::is_terminal(STDOUT_FILENO))
                tell_last_lines(talk.last_lines(told_lines));
            return fail(error);
        } catch (const Error& error) {
            return fail(error);
        }
    }

  private:
    int fail(const Error& error) {
        cli::diagnose(error.what());
        try {
            finish(error.status());
        } catch (const SysError&) { // NOLINT(bugprone-empty-catch): the error has been reported
        }
        return error.status();
    }
    static void tell_last_lines(std::string_view text) {
        while (!text.empty()) {
            const auto end = text.find('\n');
            auto line = text.substr(0, end);
            text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
            while (line.ends_with('\r'))
                line.remove_suffix(1);
            cli::diagnose(fmt::format("| {}", cli::visible(line)));
        }
    }
    void finish(int status) {
        if (recording_) recording_->finish();
        if (!options_.hides_output && !options_.json) screen_.finish();
        if (!options_.json) return;
        cli::JsonLine line;
        line.set("event", "end").set("status", status);
        line.print();
    }
    void hear(std::string_view text) {
        if (recording_) recording_->hear(text);
        if (log_) write_all(log_.get(), text, options_.log);
        if (!options_.hides_output && !options_.json) screen_.show(text);
    }
    void tell(std::string_view what, const Statement& statement, std::string_view text) const {
        if (options_.verbosity.verbose)
            cli::diagnose(fmt::format("line {}: {}: {}", statement.at.line, what,
                                      cli::visible(statement.source)));
        if (!options_.json) return;
        cli::JsonLine line;
        line.set("event", what).set("line", statement.at.line);
        line.set("statement", statement.source).set("text", text);
        line.print();
    }
    void take_signals() {
        while (const auto signal = signals_.next())
            if (*signal == SIGWINCH || *signal == SIGCONT)
                peer_.set_size(terminal_size(STDOUT_FILENO));
            else
                throw Ended{*signal};
    }

    const ExpectOptions& options_;
    Peer& peer_;
    SignalFd signals_{SIGWINCH, SIGCONT, SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    HarmlessWriteSignals file_limit_{SIGXFSZ}; // of the log and the recording
    Fd log_;
    std::optional<Recording> recording_;
    Screen screen_;
};

} // namespace

void keep_descriptors_to_us(const expect::Script& script) {
    constexpr std::string_view directory = "/dev/fd/";
    for (const auto& statement : script.statements) {
        if (statement.kind != Statement::Kind::send_file || !statement.name.starts_with(directory))
            continue;
        const auto number = whole_number<int>(statement.name.substr(directory.size()));
        if (!number || *number <= STDERR_FILENO || !cli::is_open(*number)) continue;
        auto fd = Fd::adopt(*number);
        set_across_exec(fd, AcrossExec::close);
        (void)fd.release();
    }
}

int run_expect(const ExpectOptions& options, Peer peer) {
    int signal = 0;
    try {
        const int status = Run{options, peer}.follow();
        peer.end();
        return status;
    } catch (const Ended& ended) {
        signal = ended.signal;
    }
    peer.end();
    die_of(signal);
}

} // namespace ipcbox::front
