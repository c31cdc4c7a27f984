#include "net/relay_stream.h"

#include "core/error.h"
#include "core/lost_connection.h"
#include "core/poll.h"
#include "core/signals.h"
#include "core/syscall.h"
#include "net/socket_options.h"
#include "net/urgent_data.h"

#include <algorithm>
#include <climits>
#include <csignal>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ipcbox::net {

namespace {

using Kind = RelayPort::Kind;

// The size of a widened pipe (core/pipe.h), which is the maximum that one splice(2) can move.
constexpr std::size_t max_at_once = 1024UL * 1024;
constexpr std::size_t buffer_size = 128UL * 1024;
// After this number of moves the other direction has its turn.
constexpr int moves_in_a_turn = 16;

// Makes a system call, and repeats it on EINTR.
template <class... Call> ssize_t transfer(Call... call) {
    for (;;) {
        const ssize_t moved = sys::call(call...);
        if (moved >= 0 || errno != EINTR) return moved;
    }
}

// Whether the kernel cannot splice these two descriptors: O_APPEND, some terminals, some file
// systems.
bool cannot_splice(int error) {
    return error == EINVAL || error == ENOSYS;
}

ssize_t splice_some(int from, int to, std::size_t size) {
    return transfer("splice", ::splice, from, nullptr, to, nullptr, size,
                    unsigned{SPLICE_F_MOVE | SPLICE_F_NONBLOCK});
}

} // namespace

RelayStream::RelayStream(Flow flow, RelayPort from, RelayPort to, const RelayOptions& options,
                         std::uint64_t& count)
    : flow_(flow), from_(from), to_(to), options_(options), count_(count), way_(choose_way()) {
    if (flow == Flow::answer && options.max_answer) limit_ = *options.max_answer;
    for (const auto& port : {from_, to_})
        if (port.kind == Kind::pipe) widen_pipe(port.fd);
    if (way_ == Way::own_pipe) {
        hold_ = make_pipe();
        widen_pipe(hold_.writer.get());
    }
}

pollfd RelayStream::awaited() const {
    if (state_ == State::reading) return {from_.fd, POLLIN, 0};
    if (state_ == State::writing) return {to_.fd, POLLOUT, 0};
    return {-1, 0, 0};
}

pollfd RelayStream::watched() const {
    return {state_ == State::reading ? to_.fd : -1, 0, 0};
}

void RelayStream::move() {
    bool moved = false;
    for (int moves = 0; moves < moves_in_a_turn && state_ != State::ended; ++moves) {
        const auto waiting_for = state_;
        const auto outcome = way_ == Way::direct     ? move_directly()
                             : way_ == Way::own_pipe ? move_through_pipe()
                                                     : move_through_memory();
        if (outcome == Outcome::moved) {
            moved = true;
            continue;
        }
        if (outcome == Outcome::would_wait && !moved && stops_at_urgent_data()) {
            (void)go_through_memory();
            return;
        }
        // A direct splice does not say which side it would wait for. If the side that we waited for
        // is ready and nothing moved, wait for the other side.
        if (way_ == Way::direct && outcome == Outcome::would_wait)
            state_ = !moved && waiting_for == State::reading ? State::writing : State::reading;
        return;
    }
}

void RelayStream::lose_sink() {
    int error = EPIPE;
    if (to_.kind == Kind::socket) (void)get_socket_option(to_.fd, SOL_SOCKET, SO_ERROR, error);
    // A failed write would have raised this signal, so raise it. It is still blocked here.
    if (to_.kind == Kind::pipe) (void)::raise(SIGPIPE);
    if (error != 0)
        (void)fail_sink(error);
    else
        end();
}

auto RelayStream::choose_way() const -> Way {
    if (options_.filter || !from_.never_waits_in_splice()) return Way::memory;
    if (to_.kind == Kind::socket && !to_.never_waits_in_splice()) return Way::memory;
    if (from_.kind == Kind::pipe || to_.kind == Kind::pipe) return Way::direct;
    if (from_.kind == Kind::file && to_.kind == Kind::socket) return Way::direct;
    return from_.kind == Kind::socket ? Way::own_pipe : Way::memory;
}

// How many bytes of SIZE the source may still send. At the limit this is 0, and one more byte is an
// error.
std::size_t RelayStream::room(std::size_t size) const {
    return static_cast<std::size_t>(std::min<std::uint64_t>(size, limit_ - count_));
}

// Handles the result of a read: SIZE bytes, 0 at the end, or a negative number for an error.
auto RelayStream::took(ssize_t size) -> Outcome {
    if (size > 0) {
        count_ += static_cast<std::uint64_t>(size);
        return Outcome::moved;
    }
    if (size < 0 && errno != EAGAIN) fail_source(errno);
    if (size < 0) return wait(State::reading);
    return finish();
}

auto RelayStream::wait(State state) -> Outcome {
    state_ = state;
    return Outcome::would_wait;
}

void RelayStream::fail_source(int error) const {
    throw SysError("read", from_.name, error);
}

auto RelayStream::fail_sink(int error) -> Outcome {
    // splice(2) and sendfile(2) raise SIGPIPE for sockets too.
    if (to_.kind == Kind::socket && error == EPIPE) take_back_write_signals();
    // After another error (ENOMEM, ENOBUFS), the other side would still wait for the rest of the
    // request, and never end its answer. So the relay fails at once.
    const bool is_over = error == EPIPE || is_lost_connection(error);
    if (flow_ == Flow::answer || !is_over) throw SysError("write", to_.name, error);
    refusal_ = std::make_exception_ptr(SysError("write", to_.name, error));
    end();
    return Outcome::changed;
}

auto RelayStream::finish() -> Outcome {
    if (options_.filter && !ending_) {
        ending_ = true;
        pending_ = options_.filter(flow_, {});
        if (!pending_.empty()) return wait(State::writing);
    }
    const bool kept_back =
        flow_ == Flow::request && options_.request_end == RelayOptions::RequestEnd::kept_back;
    if (to_.kind == Kind::socket && to_.ownership == RelayEnd::Ownership::ours && !kept_back)
        sys::call("shutdown", ::shutdown, to_.fd, SHUT_WR);
    end();
    return Outcome::changed;
}

// At the limit, only the end of the source may follow.
auto RelayStream::expect_end() -> Outcome {
    std::byte byte{};
    void* const into = &byte;
    const ssize_t got =
        from_.kind == Kind::socket
            ? transfer("recv", ::recv, from_.fd, into, std::size_t{1}, MSG_PEEK | MSG_DONTWAIT)
            : transfer("read", ::read, from_.fd, into, std::size_t{1});
    if (got > 0) throw Error(fmt::format("cannot read {}: more than {} bytes", from_.name, limit_));
    return took(got);
}

// Whether splice(2) moves nothing because the next byte is urgent: that looks like no data, and
// once the other side has closed, like the end.
bool RelayStream::stops_at_urgent_data() const {
    return way_ != Way::memory && from_.kind == Kind::socket && is_at_urgent_data(from_.fd);
}

auto RelayStream::go_through_memory() -> Outcome {
    way_ = Way::memory;
    state_ = State::reading;
    return Outcome::changed;
}

auto RelayStream::move_directly() -> Outcome {
    const auto size = room(max_at_once);
    if (size == 0) return expect_end();
    const bool sends_file = from_.kind == Kind::file && to_.kind == Kind::socket;
    const ssize_t moved = sends_file
                              ? transfer("sendfile", ::sendfile, to_.fd, from_.fd, nullptr, size)
                              : splice_some(from_.fd, to_.fd, size);
    if (moved == 0 && stops_at_urgent_data()) return go_through_memory();
    if (moved >= 0 || errno == EAGAIN) return took(moved);
    if (cannot_splice(errno)) return go_through_memory();
    if (is_source_error(errno)) fail_source(errno);
    return fail_sink(errno);
}

// Whether the source caused the error. Reading a pipe never fails here, and writing to a pipe fails
// only with EPIPE. For a file, try a read.
bool RelayStream::is_source_error(int error) const {
    if (error == EPIPE || from_.kind == Kind::pipe) return false;
    if (to_.kind == Kind::pipe) return true;
    const off_t at = sys::call("lseek", ::lseek, from_.fd, off_t{0}, SEEK_CUR);
    std::byte byte{};
    return at < 0 ||
           transfer("pread", ::pread, from_.fd, static_cast<void*>(&byte), std::size_t{1}, at) < 0;
}

auto RelayStream::move_through_pipe() -> Outcome {
    if (held_ == 0) {
        const auto size = room(max_at_once);
        if (size == 0) return expect_end();
        const ssize_t taken = splice_some(from_.fd, hold_.writer.get(), size);
        if (taken == 0 && stops_at_urgent_data()) return go_through_memory();
        if (taken < 0 && cannot_splice(errno)) return go_through_memory();
        const auto outcome = took(taken);
        if (outcome != Outcome::moved) return outcome;
        held_ = static_cast<std::size_t>(taken);
    }
    const ssize_t given = splice_some(hold_.reader.get(), to_.fd, held_);
    if (given >= 0) {
        held_ -= static_cast<std::size_t>(given);
        state_ = State::reading;
        return Outcome::moved;
    }
    if (errno == EAGAIN) return wait(State::writing);
    if (!cannot_splice(errno)) return fail_sink(errno);
    empty_pipe_into_memory();
    return wait(State::writing);
}

void RelayStream::empty_pipe_into_memory() {
    way_ = Way::memory;
    buffer_.resize(std::max(held_, buffer_size));
    std::size_t filled = 0;
    while (filled < held_) {
        const ssize_t got = transfer("read", ::read, hold_.reader.get(),
                                     static_cast<void*>(buffer_.data() + filled), held_ - filled);
        if (got < 0) throw SysError("read", "a pipe");
        filled += static_cast<std::size_t>(got);
    }
    pending_ = {buffer_.data(), filled};
    held_ = 0;
}

auto RelayStream::move_through_memory() -> Outcome {
    if (pending_.empty()) {
        const auto outcome = ending_ ? finish() : read_into_memory();
        if (outcome != Outcome::moved) return outcome;
        // For all other kinds, ask poll(2) first whether a write would wait.
        if (to_.kind != Kind::socket && to_.kind != Kind::file) return wait(State::writing);
    }
    const ssize_t given = write_from_memory();
    if (given < 0) return errno == EAGAIN ? wait(State::writing) : fail_sink(errno);
    pending_.remove_prefix(static_cast<std::size_t>(given));
    // Ask poll(2) again about both sides before a call could wait.
    return wait(pending_.empty() && !ending_ ? State::reading : State::writing);
}

auto RelayStream::read_into_memory() -> Outcome {
    const auto size = room(buffer_size);
    if (size == 0) return expect_end();
    buffer_.resize(std::max(buffer_.size(), buffer_size));
    void* const into = buffer_.data();
    const ssize_t got = from_.kind == Kind::socket
                            ? transfer("recv", ::recv, from_.fd, into, size, MSG_DONTWAIT)
                            : transfer("read", ::read, from_.fd, into, size);
    const auto outcome = took(got);
    if (outcome != Outcome::moved) return outcome;
    pending_ = {buffer_.data(), static_cast<std::size_t>(got)};
    if (options_.filter) pending_ = options_.filter(flow_, pending_);
    return pending_.empty() ? wait(State::reading) : Outcome::moved;
}

ssize_t RelayStream::write_from_memory() const {
    const void* const from = pending_.data();
    if (to_.kind == Kind::socket)
        return transfer("send", ::send, to_.fd, from, pending_.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    // When poll(2) says that a pipe is ready, it has room for PIPE_BUF bytes (pipe(7)).
    const std::size_t most = to_.kind == Kind::pipe ? PIPE_BUF : buffer_size;
    return transfer("write", ::write, to_.fd, from, std::min(pending_.size(), most));
}

} // namespace ipcbox::net
