#include "expect/script_run.h"

#include "core/input_file.h"
#include "expect/interaction.h"

#include <csignal>
#include <cstdlib>
#include <fmt/core.h>
#include <utility>

namespace ipcbox::expect {

namespace {

constexpr std::size_t max_file = 1024UL * 1024;
// A script that takes this many steps without reading from the peer is in a loop.
constexpr std::size_t max_steps = 100'000;

std::string without_line_end(std::string text) {
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
    return text;
}

std::string place_of(const Statement& statement) {
    return fmt::format("line {}: {}", statement.at.line, statement.source);
}

} // namespace

ScriptRun::ScriptRun(const Script& script, Duration limit, Talk& talk, StatementListener listener)
    : script_(script), limit_(limit), talk_(talk), listener_(std::move(listener)) {}

int ScriptRun::run() {
    while (next_ < script_.statements.size()) {
        const auto& statement = script_.statements[next_++];
        if (++steps_ > max_steps)
            throw Error(fmt::format(
                "cannot follow the script: it loops without waiting for anything, at {}",
                place_of(statement)));
        if (const auto status = follow(statement)) {
            talk_.finish();
            return *status;
        }
    }
    wait_for_end({});
    return program_status();
}

std::optional<int> ScriptRun::follow(const Statement& statement) {
    switch (statement.kind) {
    case Statement::Kind::expect:
        return expect(statement);
    case Statement::Kind::send:
        send(statement, text_of(statement.text));
        break;
    case Statement::Kind::send_env:
        send_environment(statement);
        break;
    case Statement::Kind::send_file:
        send_secret(statement, read_input(statement.name, max_file));
        break;
    case Statement::Kind::set:
        variables_[statement.name] = text_of(statement.text);
        break;
    case Statement::Kind::go:
        return act(statement.action);
    case Statement::Kind::interact:
        (void)interact(talk_, statement.arms.empty() ? nullptr : &*statement.arms[0].pattern);
        steps_ = 0;
        break;
    case Statement::Kind::timeout:
        limit_ = *statement.limit;
        break;
    case Statement::Kind::close:
        talk_.peer().hang_up();
        is_closed_ = true;
        break;
    case Statement::Kind::wait:
        wait_for_end(statement.limit);
        break;
    }
    return {};
}

std::optional<int> ScriptRun::expect(const Statement& statement) {
    std::vector<const Pattern*> patterns;
    std::vector<const Arm*> arms;
    const Arm* at_timeout = nullptr;
    const Arm* at_end = nullptr;
    for (const auto& arm : statement.arms) {
        if (arm.event == Arm::Event::timeout) at_timeout = &arm;
        if (arm.event == Arm::Event::end) at_end = &arm;
        if (arm.event != Arm::Event::match) continue;
        patterns.push_back(&*arm.pattern);
        arms.push_back(&arm);
    }
    talk_.matcher().look_for(std::move(patterns));
    const auto deadline = Deadline::after(statement.limit.value_or(limit_));
    for (;;) {
        if (auto hit = talk_.matcher().find()) {
            groups_ = std::move(hit->match.groups);
            listener_("match", statement, talk_.secrets().masked(groups_.front()));
            return act(arms[hit->which]->action);
        }
        steps_ = 0;
        switch (talk_.read(deadline)) {
        case dialog::Peer::Event::timeout:
            listener_("timeout", statement, {});
            if (at_timeout == nullptr) fail_by_timeout(statement);
            talk_.matcher().look_for({});
            return act(at_timeout->action);
        case dialog::Peer::Event::end:
            listener_("eof", statement, {});
            if (at_end == nullptr) fail_by_end(statement);
            talk_.matcher().look_for({});
            return act(at_end->action);
        default:
            break;
        }
    }
}

std::optional<int> ScriptRun::act(const Action& action) {
    if (action.kind == Action::Kind::exit) return action.status;
    if (action.kind == Action::Kind::jump) next_ = action.target;
    return {};
}

void ScriptRun::send(const Statement& statement, std::string_view text) {
    listener_("send", statement, talk_.secrets().masked(text));
    if (talk_.type(text, Deadline::after(limit_)) == dialog::Peer::Event::timeout)
        fail_by_timeout(statement);
}

void ScriptRun::send_secret(const Statement& statement, std::string text) {
    text = without_line_end(std::move(text));
    talk_.secrets().add(text);
    send(statement, text);
}

void ScriptRun::send_environment(const Statement& statement) {
    const char* const value = std::getenv(statement.name.c_str());
    if (value == nullptr)
        throw Error(
            fmt::format("cannot send ${}: there is no such environment variable", statement.name));
    send_secret(statement, value);
}

// Without LIMIT, the peer may take any time as long as it writes something now and then.
void ScriptRun::wait_for_end(std::optional<Duration> limit) {
    steps_ = 0;
    auto deadline = Deadline::after(limit.value_or(limit_));
    for (;;) {
        const auto event = talk_.read(deadline);
        if (event == dialog::Peer::Event::end) return;
        if (event == dialog::Peer::Event::timeout) {
            talk_.finish();
            throw TalkFailed(talk_.peer().is_program()
                                 ? "timed out: the command has not ended"
                                 : "timed out: the server has not closed the connection",
                             exit_status::timed_out);
        }
        if (event == dialog::Peer::Event::output && !limit) deadline = Deadline::after(limit_);
    }
}

int ScriptRun::program_status() {
    talk_.finish();
    const auto status = talk_.status(Deadline::after(limit_));
    if (!status)
        throw TalkFailed("timed out: the command has closed its terminal, and has not ended",
                         exit_status::timed_out);
    // After "close", our hang-up is expected to kill the program.
    return is_closed_ && *status == exit_status::signal_base + SIGHUP ? exit_status::done : *status;
}

std::string ScriptRun::text_of(const Text& text) const {
    std::string result;
    for (const auto& piece : text.pieces)
        if (piece.kind == Text::Kind::literal)
            result += piece.text;
        else if (piece.kind == Text::Kind::group)
            result += piece.group < groups_.size() ? groups_[piece.group] : "";
        else if (const auto found = variables_.find(piece.text); found != variables_.end())
            result += found->second;
        else
            throw Error(fmt::format("cannot send ${{{}}}: the script has not set it", piece.text));
    return result;
}

void ScriptRun::fail_by_timeout(const Statement& statement) {
    talk_.finish();
    throw TalkFailed("timed out: " + place_of(statement), exit_status::timed_out);
}

void ScriptRun::fail_by_end(const Statement& statement) {
    const int status = program_status();
    throw TalkFailed("the output ended before " + place_of(statement),
                     status == exit_status::done ? exit_status::failed : status);
}

} // namespace ipcbox::expect
