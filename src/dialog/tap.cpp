#include "dialog/tap.h"

#include "core/error.h"
#include "core/io.h"
#include "core/pipe.h"
#include "core/syscall.h"

#include <algorithm>
#include <climits>
#include <fcntl.h>
#include <sys/stat.h>

namespace ipcbox::dialog {

namespace {

constexpr std::size_t buffer_size = 64UL * 1024;
constexpr std::size_t max_shared = 1024UL * 1024;

} // namespace

Tap::Tap(Fd from, Fd to, std::string copy, Listener listener)
    : from_(std::move(from)), to_(std::move(to)), copy_(std::move(copy)),
      listener_(std::move(listener)) {
    const mode_t kind = file_kind(to_.get());
    // pipe(7): a writable pipe takes this much at once.
    largest_write_ = kind == S_IFREG ? buffer_size : std::size_t{PIPE_BUF};
    widen_pipe(from_.get());
    if (copy_.empty()) return;
    file_ = open_file(copy_, O_WRONLY | O_CREAT | O_TRUNC, new_file_mode);
    shares_ = kind == S_IFIFO && !listener_;
    if (shares_) widen_pipe(to_.get());
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
        copy_to_file(static_cast<std::uint64_t>(shared));
    } else if (shared == 0 || errno == EPIPE) {
        end();
    } else if (errno == EAGAIN) { // one of the two is not ready, so wait for the other one
        waits_for_reader_ = !waits_for_reader_;
    } else {
        throw SysError("copy to", copy_);
    }
}

// Copies the next COUNT bytes of FROM, which TO already has, into the file.
void Tap::copy_to_file(std::uint64_t count) {
    bytes_ += count;
    while (count > 0) {
        const ssize_t moved = sys::call("splice", ::splice, from_.get(), nullptr, file_.get(),
                                        nullptr, static_cast<std::size_t>(count), 0U);
        if (moved > 0) {
            count -= static_cast<std::uint64_t>(moved);
        } else if (moved < 0 && errno == EINVAL) { // a file that splice(2) cannot write
            pending_.resize(std::min<std::size_t>(count, buffer_size));
            pending_.resize(
                read_some(from_.get(), std::as_writable_bytes(std::span{pending_}), "a pipe"));
            write_copy();
            count -= pending_.size();
        } else if (errno != EINTR) {
            give_up_copy(SysError("write", copy_).what());
        }
    }
}

void Tap::write_copy() try {
    write_all(file_.get(), pending_, copy_);
} catch (const SysError& error) {
    give_up_copy(error.what());
}

// The rest of the copy goes nowhere.
void Tap::give_up_copy(std::string_view reason) {
    failure_ = reason;
    file_ = open_file("/dev/null", O_WRONLY);
}

void Tap::read_more() {
    pending_.resize(buffer_size);
    pending_.resize(read_some(from_.get(), std::as_writable_bytes(std::span{pending_}), "a pipe"));
    if (pending_.empty()) return end();
    bytes_ += pending_.size();
    if (pending_.find('\n') != std::string::npos) last_line_ = Deadline::Clock::now();
    if (file_) write_copy();
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
        return end();
    }
    waits_for_reader_ = written_ < pending_.size();
}

void Tap::end() {
    from_ = Fd{};
    to_ = Fd{};
    try {
        if (file_) file_.close(copy_);
    } catch (const SysError& error) {
        failure_ = error.what();
    }
}

} // namespace ipcbox::dialog
