#include "net/relay.h"

#include "core/error.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/signals.h"
#include "core/syscall.h"
#include "net/socket_options.h"

#include <algorithm>
#include <array>
#include <climits>
#include <exception>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace ipcbox::net {

namespace {

// The size of a widened pipe (core/pipe.h), which is the maximum that one splice(2) can move.
constexpr std::size_t max_at_once = 1024UL * 1024;
constexpr std::size_t buffer_size = 128UL * 1024;
// After this number of moves the other direction has its turn.
constexpr int moves_in_a_turn = 16;

enum class Kind { pipe, socket, file, other };

// Rejects at once a descriptor that was opened for the other direction. Later splice(2) and
// sendfile(2) would fail with EBADF for either side, and we could not tell which.
Kind kind_of(int fd, int other_access, std::string_view verb, std::string_view name) {
    struct stat status {};
    if (sys::call("fstat", ::fstat, fd, &status) < 0) throw SysError(verb, name);
    const int flags = sys::call("fcntl", ::fcntl, fd, F_GETFL);
    if (flags < 0 || (flags & O_ACCMODE) == other_access) throw SysError(verb, name, EBADF);
    if (S_ISFIFO(status.st_mode)) return Kind::pipe;
    if (S_ISSOCK(status.st_mode)) return Kind::socket;
    return S_ISREG(status.st_mode) ? Kind::file : Kind::other;
}

struct Port {
    int fd;
    Kind kind;
    std::string_view name;
    RelayEnd::Ownership ownership;

    // Whether a call on it never waits, even without poll(2): pipes have SPLICE_F_NONBLOCK, our
    // sockets O_NONBLOCK, and files do not wait.
    [[nodiscard]] bool never_waits_in_splice() const {
        return kind == Kind::pipe || kind == Kind::file ||
               (kind == Kind::socket && ownership == RelayEnd::Ownership::ours);
    }
};

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

// One direction.
class Stream {
  public:
    Stream(Flow flow, Port from, Port to, const RelayOptions& options, std::uint64_t& count)
        : flow_(flow), from_(from), to_(to), options_(options), count_(count), way_(choose_way()) {
        if (flow == Flow::answer && options.max_answer) limit_ = *options.max_answer;
        for (const auto& port : {from_, to_})
            if (port.kind == Kind::pipe) widen_pipe(port.fd);
        if (way_ == Way::own_pipe) {
            hold_ = make_pipe();
            widen_pipe(hold_.writer.get());
        }
    }

    // It is waiting for its source or for its sink, or has ended.
    enum class State { reading, writing, ended };
    [[nodiscard]] State state() const { return state_; }
    void end() { state_ = State::ended; }

    // The entry for poll(2): the event that we wait for, or whether the sink is gone meanwhile.
    [[nodiscard]] pollfd awaited() const {
        if (state_ == State::reading) return {from_.fd, POLLIN, 0};
        if (state_ == State::writing) return {to_.fd, POLLOUT, 0};
        return {-1, 0, 0};
    }
    [[nodiscard]] pollfd watched() const { return {state_ == State::reading ? to_.fd : -1, 0, 0}; }

    // Moves all bytes that can be moved without waiting. Call it when poll(2) reports the awaited
    // event. Throws SysError.
    void move() {
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
            // A direct splice does not say which side it would wait for. When the awaited side is
            // ready and nothing moved, it is the other side.
            if (way_ == Way::direct && outcome == Outcome::would_wait)
                state_ = !moved && waiting_for == State::reading ? State::writing : State::reading;
            return;
        }
    }

    // The sink is gone. With an error, it did not take the last bytes.
    void lose_sink() {
        int error = EPIPE;
        if (to_.kind == Kind::socket) (void)get_socket_option(to_.fd, SOL_SOCKET, SO_ERROR, error);
        // A write would have raised this signal. It is still blocked here.
        if (to_.kind == Kind::pipe) (void)::raise(SIGPIPE);
        if (error != 0) return (void)fail_sink(error);
        end();
    }

    // The reason why the request was refused, if it was.
    [[nodiscard]] const std::exception_ptr& refusal() const { return refusal_; }

  private:
    enum class Way { direct, own_pipe, memory };
    enum class Outcome { moved, would_wait, changed };

    [[nodiscard]] Way choose_way() const {
        if (options_.filter || !from_.never_waits_in_splice()) return Way::memory;
        if (to_.kind == Kind::socket && !to_.never_waits_in_splice()) return Way::memory;
        if (from_.kind == Kind::pipe || to_.kind == Kind::pipe) return Way::direct;
        if (from_.kind == Kind::file && to_.kind == Kind::socket) return Way::direct;
        return from_.kind == Kind::socket ? Way::own_pipe : Way::memory;
    }

    // How many bytes the source may still send; 0 at the limit, and then one byte more is an error.
    [[nodiscard]] std::size_t room(std::size_t size) const {
        return static_cast<std::size_t>(std::min<std::uint64_t>(size, limit_ - count_));
    }

    // SIZE bytes came; 0 is the end, and a negative number an error.
    Outcome took(ssize_t size) {
        if (size > 0) {
            count_ += static_cast<std::uint64_t>(size);
            return Outcome::moved;
        }
        if (size < 0) return errno == EAGAIN ? wait(State::reading) : fail_source(errno);
        return finish();
    }

    Outcome wait(State state) {
        state_ = state;
        return Outcome::would_wait;
    }

    Outcome fail_source(int error) const { throw SysError("read", from_.name, error); }

    Outcome fail_sink(int error) {
        // splice(2) and sendfile(2) raise SIGPIPE for sockets too.
        if (to_.kind == Kind::socket && error == EPIPE) take_back_broken_pipe();
        if (flow_ == Flow::answer) throw SysError("write", to_.name, error);
        refusal_ = std::make_exception_ptr(SysError("write", to_.name, error));
        end();
        return Outcome::changed;
    }

    Outcome finish() {
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
    Outcome expect_end() {
        std::byte byte{};
        void* const into = &byte;
        const ssize_t got =
            from_.kind == Kind::socket
                ? transfer("recv", ::recv, from_.fd, into, std::size_t{1}, MSG_PEEK | MSG_DONTWAIT)
                : transfer("read", ::read, from_.fd, into, std::size_t{1});
        if (got > 0)
            throw Error(fmt::format("cannot read {}: more than {} bytes", from_.name, limit_));
        return took(got);
    }

    Outcome go_through_memory() {
        way_ = Way::memory;
        state_ = State::reading;
        return Outcome::changed;
    }

    Outcome move_directly() {
        const auto size = room(max_at_once);
        if (size == 0) return expect_end();
        const bool sends_file = from_.kind == Kind::file && to_.kind == Kind::socket;
        const ssize_t moved =
            sends_file ? transfer("sendfile", ::sendfile, to_.fd, from_.fd, nullptr, size)
                       : splice_some(from_.fd, to_.fd, size);
        if (moved >= 0 || errno == EAGAIN) return took(moved);
        if (cannot_splice(errno)) return go_through_memory();
        return is_source_error(errno) ? fail_source(errno) : fail_sink(errno);
    }

    // Whether the error of the call is the source's. A pipe that we may read never fails to be
    // read, and a write to a pipe fails only with EPIPE. A file needs a test.
    [[nodiscard]] bool is_source_error(int error) const {
        if (error == EPIPE || from_.kind == Kind::pipe) return false;
        if (to_.kind == Kind::pipe) return true;
        const off_t at = sys::call("lseek", ::lseek, from_.fd, off_t{0}, SEEK_CUR);
        std::byte byte{};
        return at < 0 || transfer("pread", ::pread, from_.fd, static_cast<void*>(&byte),
                                  std::size_t{1}, at) < 0;
    }

    Outcome move_through_pipe() {
        if (held_ == 0) {
            const auto size = room(max_at_once);
            if (size == 0) return expect_end();
            const ssize_t taken = splice_some(from_.fd, hold_.writer.get(), size);
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

    void empty_pipe_into_memory() {
        way_ = Way::memory;
        buffer_.resize(std::max(held_, buffer_size));
        std::size_t filled = 0;
        while (filled < held_) {
            const ssize_t got =
                transfer("read", ::read, hold_.reader.get(),
                         static_cast<void*>(buffer_.data() + filled), held_ - filled);
            if (got < 0) throw SysError("read", "a pipe");
            filled += static_cast<std::size_t>(got);
        }
        pending_ = {buffer_.data(), filled};
        held_ = 0;
    }

    Outcome move_through_memory() {
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

    Outcome read_into_memory() {
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

    ssize_t write_from_memory() {
        const void* const from = pending_.data();
        if (to_.kind == Kind::socket)
            return transfer("send", ::send, to_.fd, from, pending_.size(),
                            MSG_DONTWAIT | MSG_NOSIGNAL);
        // pipe(7): PIPE_BUF bytes have room when poll(2) says that a pipe is ready.
        const std::size_t most = to_.kind == Kind::pipe ? PIPE_BUF : buffer_size;
        return transfer("write", ::write, to_.fd, from, std::min(pending_.size(), most));
    }

    Flow flow_;
    Port from_;
    Port to_;
    const RelayOptions& options_;
    std::uint64_t& count_;
    std::uint64_t limit_ = std::numeric_limits<std::uint64_t>::max();
    Way way_;
    State state_ = State::reading;
    std::exception_ptr refusal_;

    Pipe hold_; // for Way::own_pipe
    std::size_t held_ = 0;

    std::vector<char> buffer_; // for Way::memory
    std::string_view pending_;
    bool ending_ = false; // the source has ended, and pending_ is the filter's last output
};

Stream make_stream(Flow flow, const RelayEnd& from, const RelayEnd& to, const RelayOptions& options,
                   std::uint64_t& count) {
    const Port source{from.in, kind_of(from.in, O_WRONLY, "read", from.in_name), from.in_name,
                      from.ownership};
    const Port sink{to.out, kind_of(to.out, O_RDONLY, "write", to.out_name), to.out_name,
                    to.ownership};
    return {flow, source, sink, options, count};
}

// Whether to send the rest of the request although the answer has ended.
bool finishes(const RelayOptions& options, const RelayCounts& counts) {
    using When = RelayOptions::FinishRequest;
    return options.finish_request == When::always ||
           (options.finish_request == When::if_begun && (counts.request > 0 || counts.answer == 0));
}

bool is_gone(const pollfd& watched) {
    return (watched.revents & (POLLERR | POLLHUP)) != 0;
}

} // namespace

void relay(const RelayEnd& asker, const RelayEnd& answerer, const RelayOptions& options,
           RelayCounts& counts, Deadline deadline) {
    using State = Stream::State;
    const BlockedSignals blocked{signal_set({SIGPIPE})};
    Stream answer = make_stream(Flow::answer, answerer, asker, options, counts.answer);
    std::optional<Stream> request;
    if (asker.in >= 0)
        request.emplace(make_stream(Flow::request, asker, answerer, options, counts.request));

    Deadline idle = Deadline::after_or_never(options.idle);
    Deadline quit = Deadline::never();
    const auto ended = [](const std::optional<Stream>& stream) {
        return !stream || stream->state() == State::ended;
    };
    while (answer.state() != State::ended || !ended(request)) {
        const pollfd none{-1, 0, 0};
        std::array entries{answer.awaited(), answer.watched(), request ? request->awaited() : none,
                           request ? request->watched() : none};
        if (poll_until(entries, std::min({idle, deadline, quit})) == 0 || quit.passed()) {
            counts.quit = quit.passed();
            if (counts.quit) break;
            if (deadline.passed()) throw TimedOut("relay to the end");
            throw TimedOut("wait for a byte either way");
        }
        const auto before = counts.answer + counts.request;
        if (entries[0].revents != 0)
            answer.move();
        else if (is_gone(entries[1]))
            answer.lose_sink();
        if (!ended(request)) {
            if (entries[2].revents != 0)
                request->move();
            else if (is_gone(entries[3]))
                request->lose_sink();
        }
        if (counts.answer > 0 && !counts.first_answer) counts.first_answer = Deadline::Clock::now();
        if (counts.answer + counts.request != before) idle = Deadline::after_or_never(options.idle);
        if (answer.state() == State::ended && !ended(request) && !finishes(options, counts))
            request->end();
        const bool one_ended =
            answer.state() == State::ended || (request && request->state() == State::ended);
        if (options.quit_after && one_ended && quit.is_never())
            quit = Deadline::after(*options.quit_after);
    }
    if (request && request->refusal()) std::rethrow_exception(request->refusal());
}

} // namespace ipcbox::net
