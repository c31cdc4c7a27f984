#include "dialog/pty_relay.h"

#include "core/error.h"
#include "core/io.h"
#include "core/poll.h"
#include "core/spawn.h"
#include "core/syscall.h"

#include <algorithm>
#include <array>
#include <unistd.h>

namespace ipcbox::dialog {

namespace {

using Input = PtyRelayPlan::Input;

constexpr std::size_t piece = 64UL * 1024;

} // namespace

PtyRelay::PtyRelay(const std::string& program, std::span<const std::string> arguments,
                   const PtyRelayPlan& plan)
    : plan_(plan), typescript_(plan.log, plan.timing) {
    const bool has_keys = plan_.input == Input::keys;
    Pty pty = open_pty(plan_.size.value_or(terminal_size(has_keys ? STDIN_FILENO : STDOUT_FILENO)));
    set_up(pty);
    if (!has_keys) typed_input_.emplace(*terminal_settings(pty.terminal.get()));
    if (has_keys) raw_.emplace(STDIN_FILENO); // after set_up() has copied the settings
    const int terminal = pty.terminal.get();
    SpawnPlan spawn_plan;
    spawn_plan.input = spawn_plan.output = terminal;
    spawn_plan.error = plan.splits_errors ? SpawnPlan::same : terminal;
    spawn_plan.group = ProcessGroup::own_session;
    spawn_plan.controlling_terminal = terminal;
    spawn_plan.death_signal = SIGKILL;
    child_ = spawn(program, arguments, spawn_plan);
    pid_ = child_.pid();
    master_ = std::move(pty.master);
    if (plan_.input == Input::none) end_input();
}

void PtyRelay::set_up(const Pty& pty) const {
    auto settings = plan_.input == Input::keys ? terminal_settings(STDIN_FILENO)
                                               : terminal_settings(pty.terminal.get());
    if (!settings) return;
    if (plan_.input != Input::keys) {
        settings = settings_for_typed_input(*settings);
        if (plan_.shows_input) settings->c_lflag |= static_cast<tcflag_t>(ECHO);
    }
    // Switch OPOST off and not only ONLCR: then the kernel moves whole blocks and looks at no byte.
    if (plan_.line_feeds == PtyRelayPlan::LineFeeds::as_written)
        settings->c_oflag &= ~static_cast<tcflag_t>(OPOST);
    set_terminal_settings(pty.terminal.get(), *settings);
}

bool PtyRelay::reads_input() const {
    return !input_has_ended_ && typed_.empty() && !status_;
}

WaitStatus PtyRelay::to_end() {
    while (!rest_.is_over()) {
        // As long as bytes wait to be read, they may be the program's own, even if we read them
        // late.
        if (status_ && !rest_.has_begun() && !wait_for(master_.get(), POLLIN, Deadline::after({})))
            rest_.begin();
        const auto events = static_cast<short>(typed_.empty() ? POLLIN : POLLIN | POLLOUT);
        std::array entries{pollfd{signals_.fd(), POLLIN, 0}, pollfd{master_.get(), events, 0},
                           pollfd{reads_input() ? STDIN_FILENO : -1, POLLIN, 0}};
        const auto deadline = std::min(rest_.deadline(), end_.next_look());
        const bool is_ready = poll_until(entries, deadline) > 0;
        if (entries[0].revents != 0) take_signals();
        // Read first: a program that waits for a reader of its output takes no input.
        if ((entries[1].revents & ~POLLOUT) != 0 && !take_output()) break;
        if ((entries[1].revents & POLLOUT) != 0) type();
        if (entries[2].revents != 0) take_input();
        if (end_.next_look().passed())
            keep_end();
        else if (!is_ready)
            break;
    }
    if (!status_) status_ = child_.wait();
    return *status_;
}

// False at the end: no process has the terminal open any more (EIO).
bool PtyRelay::take_output() {
    std::array<char, piece>
        bytes; // NOLINT(cppcoreguidelines-pro-type-member-init): it is read into
    const ssize_t count =
        sys::call("read", ::read, master_.get(), static_cast<void*>(bytes.data()), bytes.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (count < 0 && errno != EIO) throw SysError("read", "the terminal of the command");
    if (count <= 0) return false;
    const std::string_view text{bytes.data(), static_cast<std::size_t>(count)};
    write_all(STDOUT_FILENO, text, "standard output");
    typescript_.add(text);
    rest_.heard();
    return true;
}

void PtyRelay::take_input() {
    std::array<std::byte, piece> bytes; // NOLINT(cppcoreguidelines-pro-type-member-init)
    const auto count = read_some(STDIN_FILENO, bytes, "standard input");
    const std::string_view text{reinterpret_cast<const char*>(bytes.data()), count};
    if (plan_.input == Input::keys) {
        input_has_ended_ = count == 0;
        use_keys(text);
        return;
    }
    // If the program has changed the mode of its terminal, it gets the bytes unchanged.
    if (count == 0)
        end_input();
    else
        typed_ = is_canonical(master_.get()) ? typed_input_->next(text) : std::string{text};
}

void PtyRelay::end_input() {
    input_has_ended_ = true;
    if (is_canonical(master_.get())) typed_ = typed_input_->end();
    end_.begin();
}

// The kernel discards the stop signal of Ctrl-Z, because the program leads its session and no other
// process in the session could continue it. We can continue it, so we stop it ourselves.
void PtyRelay::use_keys(std::string_view keys) {
    const auto settings = terminal_settings(master_.get());
    const bool has_signals = settings && (settings->c_lflag & ISIG) != 0;
    const auto stop = has_signals ? static_cast<char>(settings->c_cc[VSUSP]) : '\0';
    const auto at = stop == '\0' ? std::string_view::npos : keys.find(stop);
    const bool is_its_own =
        at != std::string_view::npos &&
        sys::call("tcgetpgrp", ::tcgetpgrp, master_.get()) == pid_; // false for a job of a shell
    if (!is_its_own) {
        typed_ = keys;
        return;
    }
    typed_ = std::string{keys.substr(0, at)}.append(keys.substr(at + 1));
    child_.kill_group(SIGSTOP);
}

void PtyRelay::type() {
    const ssize_t count = sys::call("write", ::write, master_.get(), typed_.data(), typed_.size());
    if (count > 0)
        typed_.erase(0, static_cast<std::size_t>(count));
    else if (count < 0 && errno == EIO) // no process reads it any more
        typed_.clear();
    else if (count < 0 && errno != EAGAIN && errno != EINTR)
        throw SysError("write to", "the terminal of the command");
}

// A program in raw mode gets no end, and no keys instead of it.
void PtyRelay::keep_end() {
    const bool is_gone =
        typed_.empty() && is_canonical(master_.get()) && terminal_has_no_input(master_);
    if (is_gone) typed_ = typed_input_->end();
    end_.look_again(is_gone);
}

void PtyRelay::take_signals() {
    while (const auto event = signals_.next_event()) {
        if (event->number == SIGCHLD)
            look_at_child();
        else if (event->number == SIGWINCH)
            follow_size();
        else if (event->number == SIGCONT) {
            if (raw_) raw_->apply();
            follow_size();
            if (!status_) child_.kill_group(SIGCONT);
        } else if (event->number != SIGPIPE && !status_) {
            child_.kill_group(event->number);
        }
    }
}

void PtyRelay::follow_size() const {
    if (!plan_.size && raw_) set_terminal_size(master_.get(), terminal_size(STDIN_FILENO));
}

void PtyRelay::look_at_child() {
    while (const auto change = next_child_change()) {
        if (change->pid != pid_) continue;
        if (change->end) {
            status_ = change->end;
            end_.stop();
            child_.release();
        } else if (raw_) {
            stop_with_program();
        }
    }
}

// The program stopped itself, or Ctrl-Z stopped it. We restore the terminal and stop too. The CONT
// that continues us waits in signals_.
void PtyRelay::stop_with_program() {
    raw_->put_back();
    (void)::raise(SIGSTOP);
}

} // namespace ipcbox::dialog
