#include "front/server/command_session.h"

#include "cli/json.h"
#include "cli/output.h"
#include "commands/run.h"
#include "core/date.h"
#include "core/number.h"
#include "core/random.h"
#include "core/syscall.h"
#include "core/text_lines.h"
#include "core/words.h"
#include "front/server/command_client.h"
#include "front/server/command_menu.h"
#include "front/server/command_request.h"
#include "server/builtin_answers.h"

#include <csignal>
#include <cstdlib>
#include <ctime>
#include <fmt/core.h>
#include <optional>
#include <unistd.h>

namespace ipcbox::front {

namespace {

constexpr std::string_view mark = "--serve-one-client";
constexpr std::string_view prompt = "Command? ";

// The result of a command.
struct Answer {
    int status = 0;
    std::string error;       // why it was stopped or not run
    std::uint64_t bytes = 0; // how much it has written
};

class Session {
  public:
    Session(CommandPlan plan, int file) : plan_(std::move(plan)), file_(file) {}

    void serve() {
        if (!plan_.json)
            client_.send("Welcome to command-server; type help for the list of commands.\n");
        if (!plan_.token.empty() && !take_token()) return;
        for (;;) {
            if (!plan_.json) client_.send(prompt);
            const auto line = client_.next_line();
            if (!line) break;
            if (trimmed(*line).empty()) continue;
            if (!take(*line)) break;
        }
        client_.flush();
    }

  private:
    bool take_token() {
        if (!plan_.json) client_.send("Token? ");
        const auto line = client_.next_line();
        if (!line) return false;
        if (is_same_secret(token_in(*line, form_), plan_.token)) {
            if (plan_.json) client_.send(cli::JsonLine{}.set("status", 0).text());
            return true;
        }
        client_.refuse("wrong token");
        client_.flush();
        return false;
    }

    // False when the session has to end.
    bool take(const std::string& line) {
        output_.clear();
        auto request = request_in(line, form_);
        if (!request) {
            const std::string why = plan_.json ? R"(expected {"cmd":NAME,"args":[TEXT,...]})"
                                               : "a control byte in the line";
            client_.log("refused: " + why);
            answer({}, {exit_status::usage, why, 0});
            return true;
        }
        if (plan_.loose && !menu_.has(request->name))
            if (const auto name = menu_.meant_by(request->line); !name.empty())
                *request = {std::string{name}, {}, request->line};
        const auto began = Deadline::Clock::now();
        const bool goes_on = request->name != "quit";
        const auto came_to = goes_on ? run(*request) : Answer{};
        client_.log(fmt::format("{}: status {}, {} bytes, {:.3f} s{}{}", request->text(),
                                came_to.status, came_to.bytes,
                                in_seconds(Deadline::Clock::now() - began),
                                came_to.error.empty() ? "" : ": ", came_to.error));
        if (goes_on || plan_.json) answer(*request, came_to);
        return goes_on;
    }

    void answer(const CommandRequest& request, const Answer& came_to) {
        if (plan_.json) {
            cli::JsonLine line;
            line.set("cmd", request.name).set("status", came_to.status).set("out", output_);
            if (!came_to.error.empty()) line.set("error", came_to.error);
            client_.send(line.text());
            return;
        }
        if (!ends_line_) client_.send("\n");
        ends_line_ = true;
        if (!came_to.error.empty())
            client_.send(came_to.error + "\n");
        else if (came_to.status != 0)
            client_.send(fmt::format("[status {}]\n", came_to.status));
    }

    Answer run(const CommandRequest& request) {
        const auto* const command = menu_.language().find(request.name);
        try {
            if (command != nullptr) return run_external(*command, request);
            if (menu_.has(request.name)) return run_builtin(request);
            return {exit_status::not_found,
                    fmt::format("unknown command; commands: {}", menu_.names()), 0};
        } catch (const commands::ArgumentError& error) {
            return {exit_status::usage, error.what(), 0};
        } catch (const Error& error) {
            client_.trouble(error.what());
            return {error.status(), "the command cannot be run", 0};
        }
    }

    // Passes output to the client. With JSON, collects it instead.
    void pass_on(std::string_view text) {
        if (text.empty()) return;
        if (plan_.json) {
            output_ += text;
            return;
        }
        client_.send(text);
        ends_line_ = text.back() == '\n';
    }

    Answer run_builtin(const CommandRequest& request) {
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
            text = menu_.help();
        pass_on(text);
        return {0, {}, text.size()};
    }

    Answer cookie() {
        for (const std::string program : {"/usr/games/fortune", "/usr/bin/fortune"})
            if (sys::call("access", ::access, program.c_str(), X_OK) == 0) {
                commands::Command fortune;
                fortune.name = "cookie";
                fortune.words = {{{program, std::nullopt}}};
                return run_external(fortune, {"cookie", {}, {}});
            }
        const auto text = server::saying(static_cast<unsigned>(RandomNumbers{}.next()));
        pass_on(text);
        return {0, {}, text.size()};
    }

    Answer run_external(const commands::Command& command, const CommandRequest& request) {
        const auto words = command.with(request.arguments);
        auto index = static_cast<std::size_t>(&command - menu_.language().commands().data());
        if (index >= menu_.language().commands().size())
            index = 0; // a command without a limit needs no place
        const commands::Surroundings surroundings{STDIN_FILENO, client_.signals(),
                                                  Environment::ours(), file_, rates_};
        client_.flush();
        const auto outcome =
            commands::run(command, index, words, surroundings, [this](std::string_view text) {
                pass_on(text);
                if (!plan_.json) client_.flush();
            });
        using End = commands::Outcome::End;
        if (outcome.end == End::stopped) throw SessionStopped{};
        if (outcome.end == End::client_gone) {
            client_.log(request.text() + ": killed: the client has gone");
            throw ClientGone{};
        }
        Answer came_to{outcome.status, {}, outcome.bytes};
        if (outcome.end == End::timed_out)
            came_to.error =
                fmt::format("killed: it ran longer than {:g} s", in_seconds(*command.timeout));
        if (outcome.end == End::wrote_too_much)
            came_to.error = fmt::format("killed: it wrote more than {} bytes", command.max_output);
        if (outcome.end == End::busy)
            came_to.error = fmt::format("busy: at most {} at a time", command.concurrency);
        if (outcome.end == End::too_often)
            came_to.error = fmt::format("too often: at most {}", command.rate->written);
        return came_to;
    }

    const CommandPlan plan_;
    const CommandForm form_ = plan_.json ? CommandForm::json : CommandForm::words;
    const CommandMenu menu_{plan_};
    const int file_;
    commands::Rates rates_{file_};
    CommandClient client_{plan_};
    std::string output_; // of the current command, with JSON
    bool ends_line_ = true;
};

} // namespace

std::vector<std::string> command_session_arguments(int plan) {
    return {std::string{mark}, fmt::format("{}", plan)};
}

bool is_command_session(std::span<char* const> arguments) {
    return arguments.size() == 2 && arguments.front() == mark;
}

int run_command_session(std::span<char* const> arguments) {
    const auto number = whole_number<int>(arguments[1]);
    if (!number) throw Error("cannot serve: these arguments are not from the server");
    // The commands that we start must not have this descriptor.
    const Fd file = Fd::adopt(*number);
    set_across_exec(file, AcrossExec::close);
    // Do not block, because a client that does not read must not hold us beyond its deadline.
    const Fd client = duplicate(STDIN_FILENO, "the connection");
    set_nonblocking(client);
    // When the client goes away, the write fails and ends us.
    const HarmlessWriteSignals harmless;
    Session session{CommandPlan::from_memory(file.get()), file.get()};
    try {
        session.serve();
    } catch (const ClientGone&) { // NOLINT(bugprone-empty-catch): nobody is left to tell
    } catch (const SessionStopped&) {
        die_of(SIGTERM);
    }
    return exit_status::done;
}

} // namespace ipcbox::front
