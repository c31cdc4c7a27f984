#include "front/server/command_session.h"

#include "cli/json.h"
#include "cli/output.h"
#include "core/ascii.h"
#include "core/date.h"
#include "core/io.h"
#include "core/number.h"
#include "core/poll.h"
#include "core/random.h"
#include "core/shell_words.h"
#include "core/syscall.h"
#include "core/text_lines.h"
#include "core/words.h"
#include "front/server/command_plan.h"
#include "server/builtin_answers.h"
#include "server/command_run.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <fmt/core.h>
#include <optional>
#include <unistd.h>

namespace ipcbox::front {

namespace {

constexpr std::string_view mark = "--serve-one-client";
constexpr std::string_view prompt = "Command? ";
constexpr std::size_t enough_to_send = 16UL * 1024;

// What ends a session without a word more.
struct Gone {};
struct Stopped {};

struct Builtin {
    std::string_view name;
    std::string_view help;
    std::vector<std::string_view> loose; // words that mean it with --loose
};
const std::vector<Builtin>& builtins() {
    static const std::vector<Builtin> all{
        {"quit", "End the session", {"quit", "exit"}},
        {"date", "Tell the date and the time", {"date", "time"}},
        {"who", "List the users who are logged in", {"who"}},
        {"cookie", "Tell a saying", {"cookie"}},
        {"motd", "Show the message of the day", {"motd"}},
        {"help", "List the commands", {"help"}},
    };
    return all;
}

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

std::string client_text() {
    if (const auto ip = variable("TCPREMOTEIP"); !ip.empty())
        return fmt::format("{}:{}", ip, variable("TCPREMOTEPORT"));
    return fmt::format("process {} of uid {}", variable("IPCREMOTEPID"), variable("IPCREMOTEEUID"));
}

struct Request {
    std::string name;
    std::vector<std::string> arguments;
    std::string line; // as it came
};

// What a command came to.
struct Answer {
    int status = 0;
    std::string error;       // why it did not end by itself, or was not run
    std::uint64_t bytes = 0; // of its output
};

class Session {
  public:
    Session(CommandPlan plan, int file)
        : plan_(std::move(plan)), language_(plan_.language()), file_(file), client_(client_text()) {
    }

    void serve() {
        if (!plan_.json) send("Welcome to command-server; type help for the list of commands.\n");
        if (!plan_.token.empty() && !take_token()) return;
        for (;;) {
            if (!plan_.json) send(prompt);
            const auto line = next_line();
            if (!line) break;
            if (trimmed(*line).empty()) continue;
            if (!take(*line)) break;
        }
        flush();
    }

  private:
    // --- what comes and goes

    void send(std::string_view text) {
        unsent_ += text;
        if (unsent_.size() >= enough_to_send) flush();
    }

    // A client that does not read for the idle time is given up.
    void flush() {
        try {
            write_all(STDOUT_FILENO, unsent_, "the client", Deadline::after_or_never(plan_.idle));
        } catch (const SysError&) {
            throw Gone{};
        } catch (const TimedOut&) {
            log("ended: the client does not read");
            throw Gone{};
        }
        unsent_.clear();
    }

    // Nothing at the end, where a line without its line feed may be half of one.
    std::optional<std::string> next_line() {
        const auto deadline = Deadline::after_or_never(plan_.idle);
        for (std::size_t searched = 0;;) {
            const auto end = heard_.find('\n', searched + heard_at_);
            if (end != std::string::npos && end - heard_at_ <= plan_.max_line) {
                auto line = heard_.substr(heard_at_, end - heard_at_);
                heard_at_ = end + 1;
                if (line.ends_with('\r')) line.pop_back();
                return line;
            }
            if (heard_.size() - heard_at_ > plan_.max_line) {
                refuse(fmt::format("the line is longer than {} bytes", plan_.max_line));
                return std::nullopt;
            }
            heard_.erase(0, std::exchange(heard_at_, 0));
            searched = heard_.size();
            if (!hear(deadline)) return std::nullopt;
        }
    }

    bool hear(Deadline deadline) {
        flush();
        std::array entries{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{signals_.fd(), POLLIN, 0}};
        if (poll_until(entries, deadline) == 0) {
            refuse(fmt::format("idle for {:g} s", in_seconds(*plan_.idle)));
            return false;
        }
        if (entries[1].revents != 0) throw Stopped{};
        std::array<std::byte, 4096> buffer; // NOLINT(cppcoreguidelines-pro-type-member-init)
        try {
            const auto read = read_some(STDIN_FILENO, buffer, "the client");
            heard_.append(reinterpret_cast<const char*>(buffer.data()), read);
            return read > 0;
        } catch (const SysError&) {
            throw Gone{};
        }
    }

    // The last that the client hears.
    void refuse(const std::string& why) {
        log("ended: " + why);
        if (plan_.json)
            send(cli::JsonLine{}.set("status", exit_status::failed).set("error", why).text());
        else
            send(fmt::format("\n{}; goodbye.\n", why));
    }

    void log(const std::string& text) const {
        if (plan_.logs)
            write_all(STDERR_FILENO, fmt::format("{}: {}: {}\n", plan_.server, client_, text),
                      "standard error");
    }

    // --- what it means

    bool take_token() {
        if (!plan_.json) send("Token? ");
        const auto line = next_line();
        if (!line) return false;
        auto given = *line;
        if (plan_.json) {
            const auto members = cli::json_texts(*line);
            const auto found = members ? members->find("token") : decltype(members->end()){};
            given = members && found != members->end() && found->second.size() == 1
                        ? found->second.front()
                        : std::string{};
        }
        if (is_same_secret(given, plan_.token)) {
            if (plan_.json) send(cli::JsonLine{}.set("status", 0).text());
            return true;
        }
        refuse("wrong token");
        flush();
        return false;
    }

    // Nothing for what is no request.
    [[nodiscard]] std::optional<Request> request_in(const std::string& line) const {
        Request request;
        request.line = line;
        if (!plan_.json) {
            if (std::ranges::any_of(
                    line, [](char byte) { return ascii::is_control(byte) && byte != '\t'; }))
                return std::nullopt;
            std::string_view left = line;
            request.name = take_word(left);
            for (auto word = take_word(left); !word.empty(); word = take_word(left))
                request.arguments.emplace_back(word);
            return request;
        }
        const auto members = cli::json_texts(line);
        if (!members) return std::nullopt;
        for (const auto& [name, values] : *members)
            if (name == "args")
                request.arguments = values;
            else if (name == "cmd" && values.size() == 1)
                request.name = request.line = values.front();
            else
                return std::nullopt;
        if (request.name.empty()) return std::nullopt;
        return request;
    }

    // With --loose a line means the first of the commands whose name is in it, as on the manual
    // page.
    void loosen(Request& request) const {
        if (!plan_.loose || is_known(request.name)) return;
        const auto line = ascii::lower(request.line);
        const auto choose = [&request](std::string_view name) {
            request.name = name;
            request.arguments.clear();
        };
        for (const auto& builtin : builtins())
            for (const auto word : builtin.loose)
                if (is_offered(builtin) && line.find(word) != std::string::npos)
                    return choose(builtin.name);
        for (const auto& command : language_.commands())
            if (line.find(ascii::lower(command.name)) != std::string::npos)
                return choose(command.name);
    }

    [[nodiscard]] bool is_offered(const Builtin& builtin) const {
        const bool stays = builtin.name == "quit" || builtin.name == "help";
        return (stays || !plan_.without_builtins) && language_.find(builtin.name) == nullptr;
    }

    [[nodiscard]] bool is_known(std::string_view name) const {
        return language_.find(name) != nullptr ||
               std::ranges::any_of(builtins(), [&](const Builtin& builtin) {
                   return builtin.name == name && is_offered(builtin);
               });
    }

    // False when the session is to end.
    bool take(const std::string& line) {
        auto request = request_in(line);
        if (!request) {
            const std::string why = plan_.json ? R"(expected {"cmd":NAME,"args":[TEXT,...]})"
                                               : "a control byte in the line";
            log("refused: " + why);
            answer({}, {exit_status::usage, why, 0});
            return true;
        }
        loosen(*request);
        const auto began = Deadline::Clock::now();
        output_.clear();
        const bool goes_on = request->name != "quit";
        const auto came_to = goes_on ? run(*request) : Answer{};
        log(fmt::format("{}: status {}, {} bytes, {:.3f} s{}{}", command_text(*request),
                        came_to.status, came_to.bytes, in_seconds(Deadline::Clock::now() - began),
                        came_to.error.empty() ? "" : ": ", came_to.error));
        if (goes_on || plan_.json) answer(*request, came_to);
        return goes_on;
    }

    static std::string command_text(const Request& request) {
        auto text = shell_quoted(request.name);
        for (const auto& argument : request.arguments)
            text += " " + shell_quoted(argument);
        // One line of the log, whatever a client sends.
        std::ranges::replace(text, '\n', ' ');
        return cli::visible(text);
    }

    void answer(const Request& request, const Answer& came_to) {
        if (plan_.json) {
            cli::JsonLine line;
            line.set("cmd", request.name).set("status", came_to.status).set("out", output_);
            if (!came_to.error.empty()) line.set("error", came_to.error);
            send(line.text());
            return;
        }
        if (!ends_line_) send("\n");
        ends_line_ = true;
        if (!came_to.error.empty())
            send(came_to.error + "\n");
        else if (came_to.status != 0)
            send(fmt::format("[status {}]\n", came_to.status));
    }

    Answer run(const Request& request) {
        const auto* const command = language_.find(request.name);
        try {
            if (command != nullptr) return run_external(*command, request);
            if (is_known(request.name)) return run_builtin(request);
            return {exit_status::not_found,
                    fmt::format("unknown command; commands: {}", list_of_names()), 0};
        } catch (const server::ArgumentError& error) {
            return {exit_status::usage, error.what(), 0};
        } catch (const Error& error) {
            log(error.what());
            return {error.status(), "the command cannot be run", 0};
        }
    }

    // Output on its way to the client; with JSON it is collected.
    void pass_on(std::string_view text) {
        if (text.empty()) return;
        if (plan_.json) {
            output_ += text;
            return;
        }
        send(text);
        ends_line_ = text.back() == '\n';
    }

    Answer run_builtin(const Request& request) {
        if (!request.arguments.empty())
            return {exit_status::usage, fmt::format("usage: {}", request.name), 0};
        std::string text;
        if (request.name == "date")
            text = date_text(std::time(nullptr)) + "\n";
        else if (request.name == "who")
            text = server::who_answer("/run/utmp");
        else if (request.name == "motd")
            text = server::motd_answer("/etc/motd");
        else if (request.name == "cookie")
            return cookie();
        else
            text = help();
        pass_on(text);
        return {0, {}, text.size()};
    }

    Answer cookie() {
        for (const std::string program : {"/usr/games/fortune", "/usr/bin/fortune"})
            if (sys::call("access", ::access, program.c_str(), X_OK) == 0) {
                server::Command fortune;
                fortune.name = "cookie";
                fortune.words = {{{program, std::nullopt}}};
                return run_external(fortune, {"cookie", {}, {}});
            }
        const auto text = server::saying(static_cast<unsigned>(RandomNumbers{}.next()));
        pass_on(text);
        return {0, {}, text.size()};
    }

    Answer run_external(const server::Command& command, const Request& request) {
        const auto words = command.with(request.arguments);
        auto index = static_cast<std::size_t>(&command - language_.commands().data());
        if (index >= language_.commands().size()) index = 0; // without a limit, it needs no place
        const server::CommandSurroundings surroundings{STDIN_FILENO, signals_, Environment::ours(),
                                                       file_};
        flush();
        const auto outcome =
            server::run_command(command, index, words, surroundings, [this](std::string_view text) {
                pass_on(text);
                if (!plan_.json) flush();
            });
        using End = server::CommandOutcome::End;
        if (outcome.end == End::stopped) throw Stopped{};
        if (outcome.end == End::client_gone) {
            log(command_text(request) + ": killed: the client has gone");
            throw Gone{};
        }
        Answer came_to{outcome.status, {}, outcome.bytes};
        if (outcome.end == End::timed_out)
            came_to.error =
                fmt::format("killed: it ran longer than {:g} s", in_seconds(*command.timeout));
        if (outcome.end == End::wrote_too_much)
            came_to.error = fmt::format("killed: it wrote more than {} bytes", command.max_output);
        if (outcome.end == End::busy)
            came_to.error = fmt::format("busy: at most {} at a time", command.concurrency);
        return came_to;
    }

    [[nodiscard]] std::string list_of_names() const {
        std::string names;
        for (const auto& builtin : builtins())
            if (is_offered(builtin)) names += fmt::format("{} ", builtin.name);
        for (const auto& command : language_.commands())
            names += command.name + " ";
        names.pop_back();
        return names;
    }

    [[nodiscard]] std::string help() const {
        std::string text;
        const auto add = [&text](std::string_view usage, std::string_view what) {
            text +=
                what.empty() ? fmt::format("{}\n", usage) : fmt::format("{:<20} {}\n", usage, what);
        };
        for (const auto& builtin : builtins())
            if (is_offered(builtin)) add(builtin.name, builtin.help);
        for (const auto& command : language_.commands())
            add(command.usage(), command.help);
        return text;
    }

    const CommandPlan plan_;
    const server::CommandLanguage language_;
    const int file_;
    const std::string client_;
    SignalFd signals_{SIGTERM};
    std::string heard_;
    std::size_t heard_at_ = 0; // what is before was taken
    std::string unsent_;
    std::string output_; // of this command, with JSON
    bool ends_line_ = true;
};

} // namespace

std::vector<std::string> command_session_arguments(int plan) {
    return {std::string{mark}, fmt::format("{}", plan)};
}

bool is_command_session(std::span<char* const> arguments) {
    return arguments.size() == 2 && arguments.front() == mark;
}

bool is_same_secret(std::string_view given, std::string_view secret) noexcept {
    // Each byte of the secret is looked at, whatever was given.
    volatile unsigned difference = given.size() == secret.size() ? 0 : 1;
    for (std::size_t at = 0; at < secret.size(); ++at) {
        const char byte = given.empty() ? '\0' : given[at % given.size()];
        difference = difference | static_cast<unsigned char>(byte ^ secret[at]);
    }
    return difference == 0;
}

int run_command_session(std::span<char* const> arguments) {
    const auto number = whole_number<int>(arguments[1]);
    if (!number) throw Error("cannot serve: these arguments are not those of our server");
    // Closed in the commands that we start.
    const Fd file = Fd::adopt(*number);
    set_across_exec(file, AcrossExec::close);
    // A client that does not read must not hold us longer than its deadline.
    const Fd client = duplicate(STDIN_FILENO, "the connection");
    set_nonblocking(client);
    // A client that goes away ends us by an error of the write.
    const HarmlessBrokenPipes harmless;
    Session session{CommandPlan::from_memory(file.get()), file.get()};
    try {
        session.serve();
    } catch (const Gone&) { // NOLINT(bugprone-empty-catch): then there is nobody to tell
    } catch (const Stopped&) {
        die_of(SIGTERM);
    }
    return exit_status::done;
}

} // namespace ipcbox::front
