#include "dialog/tap.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/syscall.h"

#include <algorithm>
#include <climits>
#include <fcntl.h>
#include <sys/stat.h>

namespace ipcbox::dialog {

namespace {

constexpr std::size_t buffer_size = 64UL * 1024;
constexpr std::size_t max_shared = 1024UL * 1024;

// splice(2), which a signal only makes start again.
ssize_t splice_some(const Fd& from, int to, std::uint64_t count) {
    ssize_t moved = -1;
    do
        moved = sys::call("splice", ::splice, from.get(), nullptr, to, nullptr,
                          static_cast<std::size_t>(count), 0U);
    while (moved < 0 && errno == EINTR);
    return moved;
}

} // namespace

Tap::Tap(Fd from, Fd to, const std::string& copy, Listener listener)
    : from_(std::move(from)), to_(std::move(to)), listener_(std::move(listener)) {
    const mode_t kind = file_kind(to_.get());
    // A writable pipe takes this much at once (pipe(7)).
    largest_write_ = kind == S_IFREG ? buffer_size : std::size_t{PIPE_BUF};
    widen_pipe(from_.get());
    if (copy.empty()) return;
    copy_ = SideFile{copy, O_TRUNC};
    shares_ = kind == S_IFIFO && !listener_;
    if (!shares_) return;
    batch_ = make_pipe();
    for (const Fd* pipe : {&to_, &batch_.writer})
        widen_pipe(pipe->get());
}

void Tap::work() {
    if (is_over()) return;
    if (shares_)
        share();
    else if (waits_for_reader_)
        pass_on();
    else
        read_more();
}

void Tap::share() {
    ssize_t shared = -1;
    do
        shared = sys::call("tee", ::tee, from_.get(), to_.get(), max_shared,
                           static_cast<unsigned>(SPLICE_F_NONBLOCK));
    while (shared < 0 && errno == EINTR);
    if (shared > 0) {
        waits_for_reader_ = false;
        move_to_copy(static_cast<std::uint64_t>(shared));
    } else if (shared == 0) {
        end();
    } else if (errno == EPIPE) {
        lose_reader();
    } else if (errno == EAGAIN) { // one side is not ready, so wait for the other side next
        waits_for_reader_ = !waits_for_reader_;
    } else {
        throw SysError("copy", "a pipe");
    }
}

// Moves the next COUNT bytes of FROM, which TO already has, into the copy, unless the copy has
// failed.
void Tap::move_to_copy(std::uint64_t count) {
    bytes_ += count;
    while (count > 0 && splices_) {
        const ssize_t taken = splice_some(from_, batch_.writer.get(), count);
        splices_ = taken > 0;
        if (!splices_) break;
        count -= static_cast<std::uint64_t>(taken);
        write_batch(static_cast<std::uint64_t>(taken));
    }
    copy_through_memory(from_, count);
}

void Tap::write_batch(std::uint64_t count) {
    while (count > 0 && splices_) {
        const ssize_t written = splice_some(batch_.reader, copy_.fd(), count);
        splices_ = written > 0; // else write(2) can do it, or says why not
        if (splices_) count -= static_cast<std::uint64_t>(written);
    }
    copy_through_memory(batch_.reader, count);
}

// Reads the next COUNT bytes of the pipe FROM, and writes them to the copy.
void Tap::copy_through_memory(const Fd& from, std::uint64_t count) {
    while (count > 0) {
        pending_.resize(std::min<std::uint64_t>(count, buffer_size));
        pending_.resize(
            read_some(from.get(), std::as_writable_bytes(std::span{pending_}), "a pipe"));
        copy_.write(pending_);
        count -= pending_.size();
    }
}

void Tap::read_more() {
    pending_.resize(buffer_size);
    pending_.resize(read_some(from_.get(), std::as_writable_bytes(std::span{pending_}), "a pipe"));
    if (pending_.empty()) return end();
    bytes_ += pending_.size();
    if (pending_.find('\n') != std::string::npos) last_line_ = Deadline::Clock::now();
    copy_.write(pending_);
    if (listener_) listener_(pending_);
    waits_for_reader_ = true;
    written_ = 0;
}

void Tap::pass_on() {
    const auto rest = std::string_view{pending_}.substr(written_, largest_write_);
    try {
        written_ += write_some(to_.get(), std::as_bytes(std::span{rest}), "standard output");
    } catch (const SysError& error) {
        if (error.error() != EPIPE) throw;
        return lose_reader();
    }
    waits_for_reader_ = written_ < pending_.size();
}

void Tap::lose_reader() {
    pollfd entry{from_.get(), POLLIN, 0};
    (void)poll_until({&entry, 1}, Deadline::after({}));
    loses_data_ = (!shares_ && written_ < pending_.size()) || (entry.revents & POLLIN) != 0;
    end();
}

void Tap::end() {
    from_ = Fd{};
    to_ = Fd{};
    copy_.close();
}

} // namespace ipcbox::dialog
