#include "front/expect/options.h"

#include "cli/values.h"
#include "core/input_file.h"
#include "front/common_options.h"
#include "net/address.h"

#include <fmt/core.h>
#include <utility>

namespace ipcbox::front {

namespace {

using expect::Statement;

constexpr std::size_t max_script = 1024UL * 1024;
constexpr std::uint64_t min_buffer = 256;
constexpr std::uint64_t max_buffer = 16UL * 1024 * 1024;

// The statements from -e and -s, in the order of the command line.
class Pairs {
  public:
    explicit Pairs(expect::Script& script) : script_(script) {}

    std::string expect(std::string_view regex) {
        expect::Arm arm;
        arm.pattern.emplace(regex);
        add(Statement::Kind::expect, fmt::format("expect /{}/", regex))
            .arms.push_back(std::move(arm));
        return std::string{regex};
    }
    std::string send(std::string_view text) {
        auto parsed = expect::parse_text(text);
        add(Statement::Kind::send, fmt::format("send \"{}\"", text)).text = std::move(parsed);
        return std::string{text};
    }
    void interact() { add(Statement::Kind::interact, "interact"); }

  private:
    Statement& add(Statement::Kind kind, std::string source) {
        auto& made = script_.statements.emplace_back();
        made.kind = kind;
        made.at.line = script_.statements.size();
        made.source = std::move(source);
        return made;
    }

    expect::Script& script_;
};

std::size_t parse_buffer(std::string_view text) {
    const auto size = cli::parse_size(text);
    if (size < min_buffer || size > max_buffer)
        throw std::invalid_argument("expected a size from 256 to 16M");
    return size;
}

// The parts of the command line that check() turns into options.
struct Line {
    std::optional<std::string> file;
    std::vector<std::string> expected;
    std::vector<std::string> sent;
    bool interacts = false;
    bool strips = false;
    bool no_echo = false;
    bool checks = false;
    bool plans = false;
};

void declare(cli::Options& options, ExpectOptions& into, Line& line, Pairs& pairs) {
    options.value("-f,--file FILE", line.file, cli::parse_file,
                  "follow the script in FILE (- for standard input)");
    options.values(
        "-e,--expect REGEX", line.expected,
        [&pairs](std::string_view text) { return pairs.expect(text); },
        "wait until the command writes text that matches REGEX");
    options.values(
        "-s,--send TEXT", line.sent, [&pairs](std::string_view text) { return pairs.send(text); },
        "type TEXT, in which \\r is the Enter key");
    options.flag("-i,--interact", line.interacts,
                 "after the script, connect your keyboard to the command");
    options.value("-t,--timeout DURATION", into.limit, cli::parse_time_limit,
                  "wait at most DURATION for each expected text (default 10s; 0: no limit)");
    options.flag("--strip-ansi", line.strips, "ignore colours and cursor movements when matching");
    options.value("--buffer SIZE", into.max_buffer, parse_buffer,
                  "keep at most SIZE bytes of output to match (default 64K)");
    options.flag("--no-echo", line.no_echo, "do not echo typed text on the command's terminal");
    options.section("Connections");
    options.value(
        "--tcp HOST:PORT", into.tcp,
        [](std::string_view text) { return net::HostPort::parse(text).text(); },
        "talk to the server at HOST:PORT instead of running a command");
    options.value("--unix PATH", into.path, parse_socket_path,
                  "talk to the server at the Unix-domain socket PATH (@NAME: abstract)");
    options.section("Output");
    options.flag("--hide", into.hides_output, "do not print the command's output");
    options.value("--log FILE", into.log, cli::parse_file, "append the command's output to FILE");
    options.json(into.json);
    options.section("Scripts");
    options.value("--record FILE", into.record, cli::parse_file,
                  "connect your keyboard to the command, and record a script to FILE");
    options.flag("--check", line.checks, "check the script for mistakes, and exit");
    options.flag("--dry-run", line.plans, "print the statements of the script, and exit");
}

void check(ExpectOptions& options, const Line& line) {
    const bool has_pairs = !line.expected.empty() || !line.sent.empty();
    if (line.file && has_pairs)
        throw cli::UsageError("--file cannot be combined with --expect or --send");
    const bool records = !options.record.empty();
    if (records && (line.file || has_pairs))
        throw cli::UsageError("--record cannot be combined with --file, --expect or --send");
    if (!line.file && !has_pairs && !line.interacts && !records)
        throw cli::UsageError("the script is missing: expected -f, -e, -s or -i");
    if (line.checks && line.plans)
        throw cli::UsageError("--check and --dry-run cannot be combined");
    if (line.file)
        options.script =
            expect::parse_script(read_input(*line.file, max_script), input_name(*line.file));
    if (line.interacts || records) Pairs{options.script}.interact();
    options.shows_input = !line.no_echo;
    if (line.strips) options.sequences = expect::Sequences::stripped;
    if (line.checks) options.work = ExpectOptions::Work::check;
    if (line.plans) options.work = ExpectOptions::Work::plan;
    const int partners =
        (options.tcp ? 1 : 0) + (options.path ? 1 : 0) + (options.command.empty() ? 0 : 1);
    if (partners > 1) throw cli::UsageError("--tcp, --unix and COMMAND cannot be combined");
    if (partners == 0 && options.work == ExpectOptions::Work::talk)
        throw cli::UsageError("expected a COMMAND, --tcp or --unix");
    if (records && options.command.empty()) throw cli::UsageError("--record needs a COMMAND");
    if (line.no_echo && (options.tcp || options.path))
        throw cli::UsageError("--no-echo needs a COMMAND");
}

} // namespace

ExpectOptions parse_expect_options(const Invocation& invocation) {
    ExpectOptions into;
    Line line;
    Pairs pairs{into.script};
    cli::Options options{invocation, "[[--] COMMAND [ARGUMENT...]]"};
    options.command(into.command);
    declare(options, into, line, pairs);
    options.note("The status is that of the command, or that of the statement exit in the script. "
                 "If an expected text does not come in time, the status is 124, and pty-expect "
                 "prints the last 20 lines of the command.");
    options.example("pty-expect -e 'name: ' -s 'me\\r' -- ./setup", "answer one question");
    options.example("pty-expect -f login.exp -i -- telnet host",
                    "log in by a script, and then type yourself");
    options.example("pty-expect --tcp localhost:9000 -e '\\? ' -s 'quit\\n'", "talk to a server");
    options.example("pty-expect --record login.exp -- ssh host",
                    "log in once by hand, and record a script that repeats it");
    options.example("pty-expect --check -f login.exp", "find mistakes in a script");
    into.verbosity = options.parse();
    check(into, line);
    return into;
}

} // namespace ipcbox::front
