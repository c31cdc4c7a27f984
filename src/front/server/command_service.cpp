#include "front/server/command_service.h"

#include "cli/output.h"
#include "core/counted.h"
#include "core/io.h"
#include "core/program.h"
#include "core/syscall.h"
#include "core/text_lines.h"
#include "core/user.h"
#include "front/server/command_session.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ipcbox::front {

namespace {

constexpr std::size_t max_file = 1024UL * 1024;
constexpr std::size_t default_max_line = 1024;
constexpr auto default_idle = std::chrono::minutes{10};

bool parse_protocol(std::string_view text) {
    if (text == "json") return true;
    if (text == "text") return false;
    throw std::invalid_argument("expected text or json");
}

std::size_t parse_line_limit(std::string_view text) {
    return static_cast<std::size_t>(cli::number_between(16, 65536)(text));
}

// The first line of PATH. Throws Error when others can read the file.
std::string read_token(const std::string& path) {
    const Fd file = open_file(path, O_RDONLY);
    struct stat status {};
    if (sys::call("fstat", ::fstat, file.get(), &status) < 0) throw SysError("examine", path);
    if ((status.st_mode & S_IROTH) != 0)
        throw Error(fmt::format("cannot use --token-file {}: every user can read it (chmod 600 {})",
                                path, path));
    constexpr std::size_t max_token = 4096;
    const auto text = read_to_end(file.get(), max_token, path);
    std::string token{trimmed(std::string_view{text}.substr(0, text.find('\n')))};
    if (token.empty())
        throw Error(fmt::format("cannot use --token-file {}: its first line is empty", path));
    return token;
}

// Looks for a program where a session will look: along the PATH that the session has.
void check_program(const std::string& name, bool keeps_environment) {
    (void)(keeps_environment ? find_program(name) : find_program(name, program_path));
}

// Checks for a missing program or user, which would fail for every client.
void check_commands(const commands::Language& language, const std::string& file,
                    bool keeps_environment) {
    for (const auto& command : language.commands()) {
        const auto where = command.line > 0 ? fmt::format("{}:{}:1", file, command.line)
                                            : std::string{"--command"};
        try {
            check_program(command.words.front().front().text, keeps_environment);
        } catch (const Error& error) {
            throw Error(fmt::format("{}: {}: {}", where, command.name, error.what()),
                        error.status());
        }
        if (command.user.empty()) continue;
        const auto user = find_user(command.user);
        if (!user)
            throw Error(
                fmt::format("{}: {}: there is no user {}", where, command.name, command.user));
        if (::geteuid() != 0 && user->uid != ::geteuid())
            throw Error(fmt::format("{}: {}: only root can run it as {}", where, command.name,
                                    command.user));
    }
}

} // namespace

void CommandService::declare(cli::Options& options) {
    options.section("Commands");
    options.value("-f,--file FILE", file_, cli::parse_file,
                  "offer the commands in FILE; HUP makes the server read it again");
    options.values("--command NAME=ARGV", definitions_, cli::parse_text,
                   "add a command, such as disk='df -h {1:word}'");
    options.flag("--check", check_, "check the commands for mistakes, and exit");
    options.flag("--no-builtins", without_builtins_, "offer none of date, who, cookie and motd");
    options.flag("--loose", loose_, "accept a line that contains the name of a command anywhere");
    options.value("--protocol PROTOCOL", json_protocol_, parse_protocol,
                  "speak text (default) or json with clients");
    options.value("--max-line BYTES", max_line_, parse_line_limit,
                  "close a connection if a line is longer than BYTES (default 1024)");
    options.value("--token-file FILE", token_file_, cli::parse_file,
                  "ask each client for the token in the first line of FILE");
    options.flag("-L,--all-interfaces", all_interfaces_,
                 "for a PORT alone, listen on all interfaces");
    options.flag("--iterative", iterative_, "serve one client at a time");
}

CommandPlan CommandService::read() const {
    CommandPlan plan;
    plan.server = fmt::format("{} {}", applet_, ::getpid());
    plan.file = file_;
    if (!file_.empty()) plan.text = read_to_end(open_file(file_, O_RDONLY).get(), max_file, file_);
    plan.definitions = definitions_;
    if (!token_file_.empty()) plan.token = read_token(token_file_);
    plan.idle = idle_;
    plan.max_line = max_line_.value_or(default_max_line);
    plan.loose = loose_;
    plan.json = json_protocol_;
    plan.without_builtins = without_builtins_;
    plan.logs = !quiet_;
    check_commands(plan.language(), file_, keeps_environment_);
    return plan;
}

bool CommandService::prepare(ServerOptions& asked) {
    auto& config = asked.config;
    quiet_ = asked.verbosity.quiet;
    keeps_environment_ = asked.keep_environment;
    // The session decides when its client is idle, and not the kernel, because a command may be
    // running.
    idle_ = std::exchange(config.limits.idle, std::nullopt).value_or(Duration{default_idle});
    if (config.program.relay) {
        config.program.relay->idle.reset();
        if (config.program.relay->record_directory.empty()) config.program.relay.reset();
    }
    const auto plan = read();
    if (check_) {
        cli::print_line("{}", counted(plan.language().commands().size(), "command"));
        return true;
    }
    constexpr int any_places = server::Admission::Limits{}.places;
    if (iterative_ && config.admission.places != any_places && config.admission.places != 1)
        throw cli::UsageError("--iterative and --connections cannot be combined");
    if (iterative_) config.admission.places = 1;
    for (auto& address : asked.addresses)
        if (asked.listens == net::ListenerKind::tcp && !all_interfaces_ &&
            address.find(':') == std::string::npos)
            address.insert(0, "localhost:");
    if (asked.addresses.empty())
        asked.addresses.emplace_back(all_interfaces_ ? "9000" : "localhost:9000");
    memory_ = plan.to_memory();
    // Our own program, even if its file has been replaced.
    config.program.program = own_image();
    config.program.arguments = command_session_arguments(memory_.get());
    config.program.arguments.insert(config.program.arguments.begin(), applet_);
    config.program.kept = memory_.get();
    if (asked.tls) {
        config.program.program = own_program(); // in ipcbox-tls, own_image() is ipcbox-tls
        serve_over_tls(asked.tls, config.limits.handshake, config.program);
    }
    return false;
}

void CommandService::check_restart() {
    (void)read();
}

} // namespace ipcbox::front
