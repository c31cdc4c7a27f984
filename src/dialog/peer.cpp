#include "dialog/peer.h"

#include "core/error.h"
#include "core/poll.h"
#include "core/pty.h"
#include "core/spawn.h"
#include "core/syscall.h"
#include "dialog/typed_input.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <sys/socket.h>
#include <unistd.h>

namespace ipcbox::dialog {

namespace {

// After the hang-up of its terminal, a program has this long to end.
constexpr std::chrono::seconds hang_up_limit{1};
constexpr std::size_t max_piece = 16UL * 1024;

} // namespace

Peer::Peer(const std::string& program, std::span<const std::string> arguments, TerminalSize size,
           Echo echo)
    : is_program_(true), name_("the terminal of the command") {
    auto pty = open_pty(size);
    const int terminal = pty.terminal.get();
    if (auto settings = terminal_settings(terminal); settings && echo == Echo::off) {
        settings->c_lflag &= ~static_cast<tcflag_t>(ECHO | ECHONL);
        set_terminal_settings(terminal, *settings);
    }
    SpawnPlan plan;
    plan.input = plan.output = plan.error = terminal;
    plan.group = ProcessGroup::own_session;
    plan.controlling_terminal = terminal;
    child_ = spawn(program, arguments, plan);
    fd_ = std::move(pty.master);
}

Peer::Peer(Fd socket, std::string name)
    : is_program_(false), name_(std::move(name)), fd_(std::move(socket)) {}

void Peer::look_at_child() {
    if (status_ || !is_program_) return;
    const auto end = child_.reap_if_ended();
    if (!end) return;
    status_ = end->status;
    rest_.begin();
}

Peer::Event Peer::wait_for_event(short events, Deadline deadline, int other) {
    // After the deadline, read once more and then stop: a peer that writes without end is always
    // ready.
    const bool is_late = deadline.passed();
    if (is_late && late_ == deadline) return Event::timeout;
    late_ = is_late ? deadline : Deadline::never();
    for (;;) {
        if (rest_.is_over()) return Event::end;
        const bool has_child = is_program_ && !status_;
        std::array entries{pollfd{interrupt_, POLLIN, 0}, pollfd{fd_.get(), events, 0},
                           pollfd{has_child ? child_.pidfd() : -1, POLLIN, 0},
                           pollfd{other, POLLIN, 0}};
        const bool only_rest = rest_.deadline() < deadline;
        if (poll_until(entries, std::min(deadline, rest_.deadline())) == 0)
            return only_rest ? Event::end : Event::timeout;
        if (entries[0].revents != 0) return Event::interrupt;
        ready_ = entries[1].revents;
        if (ready_ != 0) return Event::output;
        if (entries[3].revents != 0) return Event::other;
        look_at_child();
    }
}

Peer::Event Peer::read_now(std::string& into) {
    std::array<char, max_piece>
        bytes; // NOLINT(cppcoreguidelines-pro-type-member-init): it is read into
    const ssize_t count =
        sys::call("read", ::read, fd_.get(), static_cast<void*>(bytes.data()), bytes.size());
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return Event::output;
    // EIO: no process has the terminal open any more.
    if (count == 0 || (count < 0 && errno == EIO)) return Event::end;
    if (count < 0) throw SysError("read from", name_);
    into.append(bytes.data(), static_cast<std::size_t>(count));
    rest_.heard();
    return Event::output;
}

Peer::Event Peer::read(std::string& into, Deadline deadline, int other) {
    if (!fd_) return Event::end;
    const auto event = wait_for_event(POLLIN, deadline, other);
    return event == Event::output ? read_now(into) : event;
}

bool Peer::hides_input() const noexcept {
    if (!is_program_ || !fd_) return false;
    const auto settings = terminal_settings(fd_.get());
    return settings && (settings->c_lflag & ICANON) != 0 && (settings->c_lflag & ECHO) == 0;
}

bool Peer::has_no_input() const {
    return is_program_ && fd_ && is_canonical(fd_.get()) && terminal_has_no_input(fd_);
}

char Peer::end_character() const noexcept {
    constexpr char usual = 4; // Ctrl-D
    const auto settings = terminal_settings(fd_.get());
    return settings ? static_cast<char>(settings->c_cc[VEOF]) : usual;
}

// How many bytes were written: 0 when the peer has no room now, negative when nobody reads any
// more.
ssize_t Peer::write_some_of(std::string_view text) const {
    const auto count =
        is_program_ ? sys::call("write", ::write, fd_.get(), text.data(), text.size())
                    : sys::call("send", ::send, fd_.get(), text.data(), text.size(), MSG_NOSIGNAL);
    if (count >= 0) return count;
    if (errno == EAGAIN || errno == EINTR) return 0;
    if (errno == EIO || errno == EPIPE) return -1;
    throw SysError("write to", name_);
}

// Writes as much of TEXT as the terminal's buffer holds.
Peer::Event Peer::write_now(std::string_view& text) {
    auto piece = text;
    const bool may_fill_line = is_program_ && line_ + text.size() > max_typed_line;
    const bool has_lines = may_fill_line && is_canonical(fd_.get());
    if (may_fill_line && !has_lines) line_ = 0;
    if (has_lines && line_ == max_typed_line) {
        // End the line here. The program gets this part of it now.
        const char part_end = end_character();
        const auto count = write_some_of({&part_end, 1});
        if (count > 0) line_ = 0;
        return count < 0 ? Event::end : Event::output;
    }
    if (has_lines) piece = text.substr(0, max_typed_line - line_);
    const auto count = write_some_of(piece);
    if (count < 0) return Event::end;
    const auto typed = text.substr(0, static_cast<std::size_t>(count));
    text.remove_prefix(typed.size());
    const auto last_end = typed.find_last_of("\r\n");
    const auto open =
        last_end == std::string_view::npos ? line_ + typed.size() : typed.size() - last_end - 1;
    line_ = may_fill_line && !has_lines ? 0 : open;
    return Event::output;
}

Peer::Event Peer::send(std::string_view& text, std::string& into, Deadline deadline) {
    // Usually there is room for all of TEXT.
    if (fd_ && !text.empty() && write_now(text) == Event::end) return Event::end;
    while (!text.empty()) {
        if (!fd_) return Event::end;
        const auto event = wait_for_event(POLLIN | POLLOUT, deadline, -1);
        if (event != Event::output) return event;
        // Read first: a program that waits for a reader of its output takes no input.
        if ((ready_ & ~POLLOUT) != 0 && read_now(into) == Event::end) return Event::end;
        if ((ready_ & POLLOUT) != 0 && write_now(text) == Event::end) return Event::end;
    }
    return Event::output;
}

std::string Peer::end_of_input() {
    if (!fd_) return {};
    if (!is_program_) {
        sys::call("shutdown", ::shutdown, fd_.get(), SHUT_WR);
        return {};
    }
    // In an unfinished line, one end character only hands over the line. The second one ends the
    // input.
    std::string keys(line_ > 0 && is_canonical(fd_.get()) ? 2 : 1, end_character());
    line_ = 0;
    return keys;
}

void Peer::hang_up() {
    fd_ = Fd{};
}

std::optional<int> Peer::status(Deadline deadline) {
    if (!is_program_) return exit_status::done;
    while (!status_) {
        std::array entries{pollfd{interrupt_, POLLIN, 0}, pollfd{child_.pidfd(), POLLIN, 0}};
        if (poll_until(entries, deadline) == 0 || entries[0].revents != 0) return {};
        look_at_child();
    }
    return status_->as_exit_status();
}

void Peer::end() {
    hang_up();
    if (!child_ || status_) return;
    // Signal the program's group too: it may have left the group to which its terminal sends
    // signals.
    child_.kill_group(SIGHUP);
    child_.kill_group(SIGCONT);
    if (const auto status = child_.wait_until(Deadline::after(hang_up_limit)))
        status_ = status;
    else
        child_.kill_group(SIGKILL);
}

void Peer::set_size(TerminalSize size) const noexcept {
    if (fd_ && is_program_) set_terminal_size(fd_.get(), size);
}

} // namespace ipcbox::dialog
