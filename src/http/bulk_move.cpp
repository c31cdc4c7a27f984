#include "http/bulk_move.h"

#include "core/error.h"
#include "core/io.h"
#include "core/lost_connection.h"
#include "core/pipe.h"
#include "core/poll.h"
#include "core/syscall.h"
#include "net/urgent_data.h"

#include <algorithm>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace ipcbox::http {

namespace {

constexpr std::size_t max_at_once = 1024UL * 1024;
// How many bytes a socket can drop in one call.
constexpr std::size_t max_dropped = 1024UL * 1024 * 1024;

struct stat status_of(int fd, std::string_view name) {
    struct stat status {};
    if (sys::call("fstat", ::fstat, fd, &status) < 0) throw SysError("write", name);
    return status;
}

bool is_null_device(const struct stat& status) {
    return S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
}

bool is_tcp(int socket) {
    int protocol = 0;
    socklen_t size = sizeof protocol;
    return sys::call("getsockopt", ::getsockopt, socket, SOL_SOCKET, SO_PROTOCOL,
                     static_cast<void*>(&protocol), &size) == 0 &&
           protocol == IPPROTO_TCP;
}

BulkMove::Step step_of(ssize_t moved, int error) {
    using Outcome = BulkMove::Step::Outcome;
    if (moved > 0) return {Outcome::moved, static_cast<std::size_t>(moved), 0};
    if (moved == 0) return {Outcome::ended, 0, 0};
    if (error == EAGAIN) return {Outcome::would_wait, 0, 0};
    return {Outcome::failed, 0, error};
}

} // namespace

BulkMove::BulkMove(int from, int to, std::string_view name)
    : from_(from), to_(to), name_(name),
      from_socket_(S_ISSOCK(status_of(from, "a connection").st_mode)), way_(choose()) {
    if (way_ == Way::splice)
        for (const int end : {from_, to_})
            widen_pipe(end);
    if (way_ == Way::through_pipe) {
        pipe_ = make_pipe();
        widen_pipe(pipe_.writer.get());
    }
}

BulkMove::Way BulkMove::choose() const {
    const auto to = status_of(to_, name_);
    if (from_socket_ && is_null_device(to) && is_tcp(from_)) return Way::drop;
    if (!from_socket_ || S_ISFIFO(to.st_mode)) return Way::splice;
    return S_ISREG(to.st_mode) ? Way::through_pipe : Way::memory;
}

BulkMove::Step BulkMove::step(std::uint64_t max_bytes, Deadline deadline) {
    const auto at_most = [max_bytes](std::size_t size) {
        return static_cast<std::size_t>(std::min<std::uint64_t>(max_bytes, size));
    };
    if (way_ == Way::drop) {
        for (;;) {
            const ssize_t dropped = sys::call("recv", ::recv, from_, static_cast<void*>(nullptr),
                                              at_most(max_dropped), MSG_TRUNC | MSG_DONTWAIT);
            if (dropped >= 0 || errno != EINTR) return step_of(dropped, errno);
        }
    }
    switch (way_) {
    case Way::splice:
        return splice_some(at_most(max_at_once), deadline);
    case Way::through_pipe:
        return splice_through_pipe(at_most(max_at_once), deadline);
    default:
        return copy_some(at_most(max_at_once), deadline);
    }
}

// When this returns, the file has all bytes that were taken from the socket.
BulkMove::Step BulkMove::splice_through_pipe(std::size_t max_bytes, Deadline deadline) {
    ssize_t moved = 0;
    do
        moved = sys::call("splice", ::splice, from_, static_cast<loff_t*>(nullptr),
                          pipe_.writer.get(), static_cast<loff_t*>(nullptr), max_bytes,
                          unsigned{SPLICE_F_MOVE | SPLICE_F_NONBLOCK});
    while (moved < 0 && errno == EINTR);
    const auto step = step_of(moved, errno);
    if (stops_at_urgent_data(step)) return copy_some(max_bytes, deadline);
    if (moved < 0 && (step.error == EINVAL || step.error == ENOSYS)) { // not this kind of socket
        way_ = Way::memory;
        return copy_some(max_bytes, deadline);
    }
    if (step.size > 0) empty_pipe(step.size, deadline);
    return step;
}

// Whether STEP of splice(2) came to urgent data. Then the bytes behind it go through memory.
bool BulkMove::stops_at_urgent_data(const Step& step) {
    using Outcome = Step::Outcome;
    const bool has_moved = step.outcome != Outcome::ended && step.outcome != Outcome::would_wait;
    if (has_moved || !from_socket_ || !net::is_at_urgent_data(from_)) return false;
    way_ = Way::memory;
    return true;
}

void BulkMove::empty_pipe(std::size_t size, Deadline deadline) {
    while (size > 0) {
        const ssize_t moved =
            sys::call("splice", ::splice, pipe_.reader.get(), static_cast<loff_t*>(nullptr), to_,
                      static_cast<loff_t*>(nullptr), size, unsigned{SPLICE_F_MOVE});
        if (moved > 0) {
            size -= static_cast<std::size_t>(moved);
            continue;
        }
        if (moved < 0 && errno == EINTR) continue;
        // With O_APPEND or on some file systems, the bytes have to go through our memory.
        if (moved < 0 && errno != EINVAL && errno != ENOSYS) throw SysError("write", name_);
        way_ = Way::memory;
        buffer_.resize(max_at_once);
        const auto bytes = std::span{buffer_}.first(size);
        if (read_exact(pipe_.reader.get(), bytes, name_, deadline) < size)
            throw SysError("write", name_, EIO);
        write_all(to_, bytes, name_, deadline);
        return;
    }
}

BulkMove::Step BulkMove::splice_some(std::size_t max_bytes, Deadline deadline) {
    for (;;) {
        const ssize_t moved = sys::call("splice", ::splice, from_, static_cast<loff_t*>(nullptr),
                                        to_, static_cast<loff_t*>(nullptr), max_bytes,
                                        unsigned{SPLICE_F_MOVE | SPLICE_F_NONBLOCK});
        if (moved > 0) return step_of(moved, 0);
        if (moved < 0 && errno == EINTR) continue;
        const int error = errno;
        if (stops_at_urgent_data(step_of(moved, error))) return copy_some(max_bytes, deadline);
        if (moved == 0) return step_of(moved, 0);
        // O_APPEND, some terminals, some file systems.
        if (error == EINVAL || error == ENOSYS) {
            way_ = Way::memory;
            return copy_some(max_bytes, deadline);
        }
        if (error != EAGAIN) {
            if (is_lost_connection(error)) return step_of(moved, error); // error of the source
            throw SysError("write", name_, error);
        }
        // The call does not say which of the two sides would make it wait.
        if (!wait_for(from_, POLLIN, Deadline::after({}))) return step_of(-1, EAGAIN);
        if (!wait_for(to_, POLLOUT, deadline)) throw TimedOut("writing the document");
    }
}

BulkMove::Step BulkMove::copy_some(std::size_t max_bytes, Deadline deadline) {
    buffer_.resize(max_at_once);
    void* const into = buffer_.data();
    const ssize_t got = from_socket_
                            ? sys::call("recv", ::recv, from_, into, max_bytes, MSG_DONTWAIT)
                            : sys::call("read", ::read, from_, into, max_bytes);
    const auto step = step_of(got, errno);
    if (step.size > 0) write_all(to_, std::span{buffer_}.first(step.size), name_, deadline);
    return step;
}

} // namespace ipcbox::http
