// magic-cat - concatenate files and the output of commands to standard output, one after the other
#include "applet.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/error.h"
#include "core/input_file.h"
#include "core/io.h"
#include "core/stream_copy.h"
#include "core/text_lines.h"
#include "core/words.h"
#include "dialog/line_marker.h"
#include "dialog/magic_source.h"
#include "front/network_source.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <unistd.h>

namespace ipcbox {
namespace {

struct Config {
    std::vector<std::string> arguments;
    dialog::MagicRules rules;
    bool numbers = false;
    bool header = false;
    bool prefix = false;
    bool net = false;
    bool fail_fast = false;
    int parallel = 1;
    cli::Verbosity verbosity;

    // Headers count too: to print one, we have to know whether the last line has ended.
    [[nodiscard]] bool marks_lines() const { return numbers || prefix || header; }
    [[nodiscard]] bool is_server(const std::string& argument) const {
        return net && front::names_server(argument) && !dialog::may_be_command(argument, rules);
    }
};

std::vector<std::string> read_list(const std::string& file, char separator) {
    constexpr std::size_t max_size = 64UL * 1024 * 1024;
    const auto text = read_input(file, max_size);
    std::vector<std::string> names;
    for (auto left = without_byte_order_mark(text); !left.empty();)
        if (const auto name = take_until(left, separator); !name.empty()) names.emplace_back(name);
    return names;
}

Config parse(const Invocation& invocation) {
    constexpr int max_parallel = 256;
    Config config;
    std::optional<std::string> list;
    bool null = false;
    cli::Options options{invocation, "[SOURCE...]"};
    options.operands("SOURCE", config.arguments, cli::parse_text,
                     "a file, a command followed by |, or - for standard input");
    options.flag("-n,--number", config.numbers, "number all lines");
    options.flag("-H,--header", config.header,
                 "write a header line with its name before each source");
    options.flag("--prefix", config.prefix, "write the name of the source before each line");
    options.value("-f,--files-from LIST", list, cli::parse_file,
                  "read more sources from the file LIST, one on each line");
    options.flag("-0,--null", null, "with -f: each source in LIST ends with a NUL byte");
    options.flag("--shell", config.rules.uses_shell, "run commands with /bin/sh");
    options.flag("--exec", config.rules.prefers_command,
                 "run COMMAND| even if a file with this name exists");
    options.flag("--net", config.net,
                 "also read from servers: tcp:HOST:PORT, unix:PATH, http://... and https://...");
    options.flag("--literal", config.rules.is_literal, "treat every source as the name of a file");
    options.flag("--fail-fast", config.fail_fast, "stop after the first source that fails");
    options.value(
        "--parallel NUMBER", config.parallel, cli::number_between(1, max_parallel),
        "run up to NUMBER commands at the same time (default 1); the output keeps its order");
    options.note("magic-cat splits commands into words by the rules of the shell, but runs no "
                 "shell. Without a SOURCE, it reads standard input. The status is 1 if a file "
                 "cannot be read or a command fails.");
    options.example("magic-cat head.txt 'zcat body.gz|' - tail.txt",
                    "write a file, the output of a command, standard input and another file");
    options.example("magic-cat --net tcp:localhost:13 http://localhost/",
                    "write the answer of a time server, and a document");
    options.example("magic-cat --prefix 'ssh a uptime|' 'ssh b uptime|'",
                    "show which command each line comes from");
    options.example("magic-cat --literal -- *",
                    "write all files of a directory, no matter what their names are");
    config.verbosity = options.parse();
    if (null && !list) throw cli::UsageError("--null needs --files-from");
    if (config.rules.is_literal && (config.rules.uses_shell || config.rules.prefers_command))
        throw cli::UsageError("--literal cannot be combined with --shell or --exec");
    if (config.rules.is_literal && config.net)
        throw cli::UsageError("--literal and --net cannot be combined");
    if (list) {
        const bool has_input = std::ranges::find(config.arguments, "-") != config.arguments.end();
        if (*list == "-" && has_input && !config.rules.is_literal)
            throw cli::UsageError(
                "--files-from - and the source - cannot be combined: both read standard input");
        for (auto& name : read_list(*list, null ? '\0' : '\n'))
            config.arguments.push_back(std::move(name));
    } else if (config.arguments.empty()) {
        config.arguments.emplace_back("-");
        config.rules.is_literal = false;
    }
    return config;
}

constexpr std::string_view output_name = "standard output";

// A source. If it could not be opened, the error is printed when its turn comes.
struct Opened {
    std::unique_ptr<dialog::MagicSource> source;
    std::string error;
};

Opened open_source(const std::string& argument, const dialog::MagicRules& rules) {
    try {
        return {std::make_unique<dialog::MagicSource>(argument, rules), {}};
    } catch (const Error& error) {
        return {nullptr, error.what()};
    }
}

class Concatenation {
  public:
    explicit Concatenation(const Config& config)
        : config_(config), marker_(config.numbers ? dialog::LineMarker::Numbers::as_cat
                                                  : dialog::LineMarker::Numbers::none) {}

    // Copies all sources. False when one of them could not be read to its end.
    bool run() {
        bool succeeded = true;
        for (std::size_t at = 0; at < config_.arguments.size(); ++at) {
            open_ahead(at);
            auto opened = std::move(opened_.front());
            opened_.pop_front();
            if (write(config_.arguments[at], opened)) continue;
            succeeded = false;
            if (config_.fail_fast) break;
        }
        return succeeded;
    }

  private:
    // Opens source AT, and starts the commands after it that can run at the same time. A file, and
    // each source after it, waits for its turn.
    void open_ahead(std::size_t at) {
        const auto max_opened = static_cast<std::size_t>(config_.parallel);
        for (auto next = at + opened_.size();
             next < config_.arguments.size() && opened_.size() < max_opened; ++next) {
            const auto& argument = config_.arguments[next];
            if (next > at && !dialog::may_be_command(argument, config_.rules)) break;
            opened_.push_back(config_.is_server(argument) ? Opened{}
                                                          : open_source(argument, config_.rules));
        }
    }

    bool write(const std::string& argument, Opened& opened) {
        if (config_.is_server(argument)) return write_from_server(argument);
        if (!opened.source) return fail(opened.error);
        auto& source = *opened.source;
        if (source.feeds_on(STDOUT_FILENO))
            return fail(fmt::format("cannot read {}: it is also the output", argument));
        begin(argument);
        const bool was_read = copy(source);
        const auto status = source.finish();
        if (!status || status->succeeded()) return was_read;
        return fail(fmt::format("{}: {}", argument, status->text()));
    }

    bool write_from_server(const std::string& argument) {
        if (dialog::may_be_file(argument))
            return fail(fmt::format("cannot read {0}: a file has this name; write ./{0} for the "
                                    "file, or leave out --net",
                                    argument));
        begin(argument);
        try {
            front::write_from_server(argument, filter());
            return true;
        } catch (const front::LostOutput&) {
            throw;
        } catch (const Error& error) {
            return fail(error.what());
        }
    }
    // Makes the bytes of strangers harmless for a terminal, and marks the lines.
    download::OutputFilter filter() {
        const bool is_seen = cli::is_terminal(STDOUT_FILENO);
        if (!is_seen && !config_.marks_lines()) return {};
        return [this, is_seen, visible = cli::VisibleText{}](std::string_view piece) mutable {
            const auto text = !is_seen        ? std::string{piece}
                              : piece.empty() ? visible.finish()
                                              : visible.next(piece);
            return config_.marks_lines() ? std::string{marker_.mark(text)} : text;
        };
    }

    void begin(const std::string& argument) {
        if (config_.prefix || config_.header) write_out(marker_.finish_line());
        if (config_.prefix) marker_.set_prefix(argument + ": ");
        if (!config_.header) return;
        write_out(fmt::format("{}==> {} <==\n", is_first_ ? "" : "\n", argument));
        is_first_ = false;
    }

    // False when SOURCE could not be read. Throws when our output cannot be written.
    bool copy(const dialog::MagicSource& source) {
        if (config_.marks_lines()) return copy_marked(source);
        try {
            copy_stream(source.fd(), STDOUT_FILENO, no_copy_limit, {source.name(), output_name});
            return true;
        } catch (const ReadFailed& error) {
            return fail(error.what());
        }
    }
    bool copy_marked(const dialog::MagicSource& source) {
        while (const auto piece = read_piece(source)) {
            if (piece->empty()) return true;
            write_out(marker_.mark(*piece));
        }
        return false;
    }
    std::optional<std::string_view> read_piece(const dialog::MagicSource& source) {
        constexpr std::size_t max_piece = 64UL * 1024;
        buffer_.resize(max_piece);
        try {
            const auto size =
                read_some(source.fd(), std::as_writable_bytes(std::span{buffer_}), source.name());
            return std::string_view{buffer_}.substr(0, size);
        } catch (const SysError& error) {
            fail(error.what());
            return std::nullopt;
        }
    }

    static void write_out(std::string_view text) { write_all(STDOUT_FILENO, text, output_name); }
    static bool fail(std::string_view text) {
        cli::diagnose(cli::visible(text));
        return false;
    }

    const Config& config_;
    dialog::LineMarker marker_;
    std::deque<Opened> opened_;
    std::string buffer_;
    bool is_first_ = true;
};

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    return Concatenation{config}.run() ? exit_status::done : exit_status::failed;
}

} // namespace

extern constexpr Applet magic_cat{"concatenate files and the output of commands", run};

} // namespace ipcbox
