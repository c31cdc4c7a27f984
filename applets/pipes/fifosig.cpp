// fifosig - serve a fresh document to each reader of a FIFO
#include "applet.h"
#include "cli/border.h"
#include "cli/json.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/poll.h"
#include "core/program.h"
#include "core/signals.h"
#include "core/user.h"
#include "fifo/document_fifo.h"
#include "fifo/document_source.h"

#include <algorithm>
#include <climits>
#include <csignal>
#include <unistd.h>

namespace ipcbox {
namespace {

// The largest capacity that a pipe can have without privileges (/proc/sys/fs/pipe-max-size). A
// document of this size can be in the pipe as a whole when its reader comes.
constexpr std::size_t max_bytes = 1024UL * 1024;

constexpr Duration default_timeout = std::chrono::seconds{10};

constexpr std::string_view built_in_line = "This line was written for you, just now.\n";

struct Config {
    std::string path = current_user().home + "/.signature";
    std::optional<std::string> text;
    std::optional<std::string> file;
    std::vector<std::string> command;
    std::optional<int> count;
    // Only the owner can read or write the FIFO: a reader makes the command run, and a writer can
    // forge a document.
    mode_t mode = 0600;
    std::optional<Duration> timeout;
    bool json = false;
    cli::Verbosity verbosity;
};

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[PATH] [[--] COMMAND [ARGUMENT...]]"};
    options.operand("PATH", config.path, cli::parse_file, "the FIFO (default ~/.signature)");
    options.command(config.command);
    options.value("-s,--text TEXT", config.text, cli::parse_text, "serve this line");
    options.value("-F,--file FILE", config.file, cli::parse_file,
                  "serve the contents of FILE, which is read again for each reader");
    options.value("-n,--count COUNT", config.count, cli::number_between(1, INT_MAX),
                  "exit when COUNT documents have been read");
    options.value("-m,--mode MODE", config.mode, cli::parse_mode,
                  "the FIFO's permissions (default 600)");
    options.value("-t,--timeout DURATION", config.timeout, cli::parse_positive_duration,
                  "kill the command after this time (default 10s)");
    options.json(config.json);
    options.note(
        "Without -s, -F and a command, each reader gets your name, your address and a fortune(6). "
        "If there is a file at PATH, fifosig moves it to PATH.orig and restores it at the end.");
    options.example("fifosig &", "put a different signature under each mail");
    options.example("fifosig ./disks -- df -h",
                    "show each reader of ./disks the current usage of the disks");
    options.example("fifosig -n 1 -F /etc/hostname ./secret", "let a file be read only once");
    config.verbosity = options.parse();
    if (config.text.has_value() + config.file.has_value() + !config.command.empty() > 1)
        throw cli::UsageError("--text, --file and a command cannot be combined");
    if (config.timeout && (config.text || config.file))
        throw cli::UsageError("--timeout needs a COMMAND");
    return config;
}

std::string name_and_address() {
    const User user = current_user();
    char host[HOST_NAME_MAX + 1] = "localhost";
    (void)::gethostname(host, sizeof host - 1);
    return fmt::format("{} ({}@{})\n", user.full_name.empty() ? user.name : user.full_name,
                       user.name, host);
}

// Looks beyond PATH too, because games are often not in it.
std::optional<std::string> find_fortune() {
    for (const char* name : {"fortune", "/usr/games/fortune"})
        try {
            return find_program(name);
        } catch (const Error&) { // NOLINT(bugprone-empty-catch): try the next one
        }
    return std::nullopt;
}

// Makes the documents, counts them and logs them.
class Supply : public fifo::Documents {
  public:
    explicit Supply(const Config& config) : config_(config) {
        const dialog::CapturedCommand::Limits limits{max_bytes,
                                                     config.timeout.value_or(default_timeout)};
        if (config.text) {
            const bool is_line = config.text->ends_with('\n') || config.text->empty();
            source_ = fifo::documents_of_text(*config.text + (is_line ? "" : "\n"));
        } else if (config.file) {
            source_ = fifo::documents_of_file(*config.file, max_bytes);
        } else if (!config.command.empty()) {
            source_ = fifo::documents_of_command(config.command, limits);
        } else {
            signature_ = name_and_address();
            const auto fortune = find_fortune();
            source_ = fortune ? fifo::documents_of_command({*fortune, "-s"}, limits)
                              : fifo::documents_of_text(std::string{built_in_line});
        }
    }

    [[nodiscard]] std::optional<fifo::Document> take() override {
        if (!is_wanted()) return std::nullopt;
        std::optional<fifo::Document> document;
        if (!returned_.empty()) {
            document = std::move(returned_.back());
            returned_.pop_back();
        } else if ((document = source_->next()) && !signature_.empty()) {
            const bool fortunate = document->error.empty();
            document = {signature_ + (fortunate ? document->text : std::string{built_in_line}), {}};
        }
        if (document) ++lent_;
        return document;
    }
    void give_back(fifo::Document document) override {
        --lent_;
        if (!config_.file) returned_.push_back(std::move(document));
    }
    void delivered(const fifo::Document& document) override {
        --lent_;
        ++delivered_;
        failed_ = failed_ || !document.error.empty();
        if (!document.error.empty())
            cli::diagnose(fmt::format("a reader got an empty document: {}", document.error));
        else if (config_.verbosity.verbose)
            cli::diagnose(fmt::format("read {}: {} bytes", delivered_, document.text.size()));
        if (!config_.json) return;
        cli::JsonLine line;
        line.set("path", config_.path).set("read", delivered_).set("bytes", document.text.size());
        if (document.error.empty())
            line.set_null("error");
        else
            line.set("error", document.error);
        line.print();
    }

    // Makes the next document before its reader comes. True when it has just become ready.
    bool prepare() { return is_wanted() && returned_.empty() && source_->prepare(); }
    [[nodiscard]] fifo::DocumentSource& source() { return *source_; }
    [[nodiscard]] bool is_done() const { return delivered_ == config_.count; }
    [[nodiscard]] bool has_failed() const { return failed_; }

  private:
    [[nodiscard]] bool is_wanted() const {
        return !config_.count || delivered_ + lent_ < *config_.count;
    }

    const Config& config_;
    std::unique_ptr<fifo::DocumentSource> source_;
    std::string signature_; // the text above the fortune
    std::vector<fifo::Document> returned_;
    int delivered_ = 0;
    int lent_ = 0; // taken out, and not delivered or given back yet
    bool failed_ = false;
};

// Returns the signal that ended it, or 0 when all documents were delivered.
int serve(fifo::DocumentFifo& fifo, Supply& supply, SignalFd& signals) {
    std::vector<pollfd> entries;
    for (;;) {
        fifo.work();
        while (supply.prepare())
            fifo.work(); // a reader may be waiting for it
        if (supply.is_done()) return 0;
        entries.assign({{signals.fd(), POLLIN, 0}});
        for (const auto& entry : fifo.poll_entries())
            entries.push_back(entry);
        supply.source().add_poll_entries(entries);
        (void)poll_until(entries, std::min(fifo.deadline(), supply.source().deadline()));
        if (entries.front().revents == 0) continue;
        if (const auto signal = signals.next()) return *signal;
    }
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    int signal = 0;
    bool failed = false;
    {
        // Take these two as well: if the log can no longer be written, we still must not leave a
        // FIFO behind.
        SignalFd signals{SIGTERM, SIGINT, SIGHUP, SIGPIPE, SIGXFSZ};
        Supply supply{config};
        fifo::DocumentFifo fifo{config.path, config.mode, supply};
        if (!config.verbosity.quiet) cli::diagnose(fmt::format("serving {}", config.path));
        signal = serve(fifo, supply, signals);
        failed = supply.has_failed();
    }
    if (signal != 0) die_of(signal);
    return failed ? exit_status::failed : exit_status::done;
}

} // namespace

extern constexpr Applet fifosig{"serve a fresh document to each reader of a FIFO", run};

} // namespace ipcbox
