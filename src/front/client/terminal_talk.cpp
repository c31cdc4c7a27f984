#include "front/client/terminal_talk.h"

#include "core/error.h"
#include "core/io.h"
#include "core/poll.h"
#include "expect/secrets.h"

#include <array>
#include <csignal>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::front {

namespace {

constexpr std::size_t buffer_size = 64UL * 1024;
// Prompts are shorter than this. A longer line is shown as it comes.
constexpr std::size_t max_tail = 1024;
// At most this many bytes wait for a server that does not read. Then we stop reading keys too.
constexpr std::size_t max_waiting = 256UL * 1024;
constexpr std::string_view menu =
    "[c: end the input, b: send a break, l: log to a file, q: quit, another key: go on] ";
constexpr std::string_view log_prompt = "[log to the file: ";

std::string_view as_text(const std::array<std::byte, buffer_size>& buffer, std::size_t size) {
    return {reinterpret_cast<const char*>(buffer.data()), size}; // NOLINT(*-reinterpret-cast)
}

} // namespace

TerminalTalk::TerminalTalk(Reached& server, const std::string& target, Passage& passage,
                           LineHistory history, char escape)
    : server_(server), end_(server.end(target)), target_(target), passage_(passage),
      history_(std::move(history)), editor_(history_.lines(), escape), out_(end_.out, target_) {}

void TerminalTalk::show(std::string_view text) const {
    write_all(STDOUT_FILENO, text, "standard output");
}

std::string TerminalTalk::row() {
    if (input_ended_ || over_) return {};
    if (mode_ == Mode::talk && expect::asks_for_secret(tail_))
        return fmt::format("{}{}", LineEditor::erase(), tail_);
    editor_.set_prompt(mode_ == Mode::menu       ? menu
                       : mode_ == Mode::log_name ? log_prompt
                                                 : std::string_view{tail_});
    return editor_.draw();
}

void TerminalTalk::draw() {
    show(row());
}

void TerminalTalk::note(std::string_view text) {
    show(fmt::format("{}[{}]\n", LineEditor::erase(), text));
}

void TerminalTalk::show_answer(std::string_view text) {
    if (text.empty()) return;
    if (input_ended_) return show(text); // no typed line to redraw
    tail_.append(text);
    auto end = tail_.rfind('\n') + 1; // 0 without a line feed
    if (tail_.size() - end > max_tail) {
        tail_.push_back('\n');
        end = tail_.size();
    }
    auto shown = fmt::format("{}{}", LineEditor::erase(), std::string_view{tail_}.substr(0, end));
    tail_.erase(0, end);
    show(shown += row()); // one write, so that nothing flickers
}

void TerminalTalk::send_request(std::string_view text) {
    if (!text.empty()) out_.add(passage_.request(text));
    out_.send_now();
    is_active_ = true;
}

void TerminalTalk::end_input() {
    if (input_ended_) return;
    show(fmt::format("{}{}", LineEditor::erase(), tail_));
    input_ended_ = true;
    out_.add(passage_.request({}));
}

void TerminalTalk::log_to(const std::string& file) {
    if (file.empty()) return;
    try {
        passage_.log_to(file);
        note("logging to " + cli::visible(file));
    } catch (const SysError& error) {
        note(error.what());
    }
}

void TerminalTalk::finish_line() {
    if (mode_ == Mode::log_name) {
        const auto file = editor_.take_line(LineEditor::Memory::forget);
        mode_ = Mode::talk;
        log_to(file);
        std::string_view typed{typed_};
        (void)editor_.feed(typed);
        return draw();
    }
    const bool is_secret = expect::asks_for_secret(tail_);
    show(is_secret ? fmt::format("{}{}\n", LineEditor::erase(), tail_) : editor_.draw_finished());
    tail_.clear();
    const auto line =
        editor_.take_line(is_secret ? LineEditor::Memory::forget : LineEditor::Memory::remember);
    if (!is_secret) history_.add(line);
    send_request(line + '\n');
    draw();
}

void TerminalTalk::use_menu_key(char key) {
    mode_ = Mode::talk;
    switch (key) {
    case 'c':
        return end_input();
    case 'q':
        over_ = true;
        ending_ = Ending::by_person;
        return show(LineEditor::erase());
    case 'b':
        if (passage_.speaks_telnet()) {
            out_.add(net::TelnetFilter::break_command);
            out_.send_now();
        } else {
            note("a break needs --telnet");
        }
        break;
    case 'l':
        typed_ = editor_.take_line(LineEditor::Memory::forget);
        mode_ = Mode::log_name;
        break;
    default:
        break;
    }
    draw();
}

void TerminalTalk::use_keys(std::string_view keys) {
    while (!keys.empty() && !input_ended_ && !over_) {
        if (mode_ == Mode::menu) {
            use_menu_key(keys.front());
            keys.remove_prefix(1);
            continue;
        }
        switch (editor_.feed(keys)) {
        case LineEditor::Event::none:
            draw();
            break;
        case LineEditor::Event::line:
            finish_line();
            break;
        case LineEditor::Event::end:
            if (mode_ == Mode::talk) end_input();
            break;
        case LineEditor::Event::escape:
            mode_ = Mode::menu;
            draw();
            break;
        }
    }
}

void TerminalTalk::take_keys() {
    std::array<std::byte, buffer_size> buffer;
    const auto got = read_some(STDIN_FILENO, buffer, "standard input");
    if (got == 0) return end_input();
    use_keys(as_text(buffer, got));
}

void TerminalTalk::take_answer() {
    std::array<std::byte, buffer_size> buffer;
    const auto got = read_some(end_.in, buffer, target_);
    is_active_ = true;
    show_answer(passage_.answer(as_text(buffer, got)));
    out_.add(passage_.take_replies());
    if (got > 0) return;
    if (!input_ended_) show(fmt::format("{}{}", LineEditor::erase(), tail_));
    if (!input_ended_ && !tail_.empty()) show("\n");
    over_ = true;
}

void TerminalTalk::take_signals() {
    while (const auto signal = signals_->next()) {
        if (*signal == SIGWINCH) {
            editor_.set_columns(terminal_size(STDOUT_FILENO).columns);
            draw();
            continue;
        }
        if (!input_ended_) show(LineEditor::erase());
        keys_.reset();
        if (*signal != SIGTSTP) die_of(*signal);
        (void)::raise(SIGSTOP);
        keys_.emplace(STDIN_FILENO);
        editor_.set_columns(terminal_size(STDOUT_FILENO).columns);
        draw();
    }
}

TerminalTalk::Ending TerminalTalk::run(std::optional<Duration> idle) {
    signals_.emplace({SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH});
    keys_.emplace(STDIN_FILENO);
    editor_.set_columns(terminal_size(STDOUT_FILENO).columns);
    bool is_end_told = server_.request_end == net::RelayOptions::RequestEnd::kept_back;
    auto deadline = Deadline::after_or_never(idle);
    while (!over_) {
        out_.send_now();
        if (input_ended_ && !is_end_told && out_.pending() == 0) {
            out_.end();
            is_end_told = true;
        }
        const bool listens = !input_ended_ && out_.pending() < max_waiting;
        std::array<pollfd, 4> entries{{{signals_->fd(), POLLIN, 0},
                                       {end_.in, POLLIN, 0},
                                       {listens ? STDIN_FILENO : -1, POLLIN, 0},
                                       {out_.pending() > 0 ? end_.out : -1, POLLOUT, 0}}};
        if (poll_until(entries, deadline) == 0) {
            if (!input_ended_) show(LineEditor::erase());
            throw TimedOut("no byte was sent or received");
        }
        is_active_ = false;
        if (entries[0].revents != 0) take_signals();
        if (entries[1].revents != 0) take_answer();
        if (entries[2].revents != 0 && !over_) take_keys();
        if (is_active_) deadline = Deadline::after_or_never(idle);
    }
    keys_.reset();
    signals_.reset();
    if (ending_ == Ending::by_server) out_.check();
    return ending_;
}

} // namespace ipcbox::front
