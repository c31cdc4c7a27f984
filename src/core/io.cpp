#include "core/io.h"

#include "core/error.h"
#include "core/poll.h"
#include "core/syscall.h"

#include <array>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox {

namespace {

void wait_or_time_out(int fd, short events, std::string_view object, Deadline deadline) {
    if (!wait_for(fd, events, deadline))
        throw TimedOut(fmt::format("{} {}", events == POLLIN ? "reading" : "writing", object));
}

// One transfer in either direction: calls TRY again on EINTR, and on EAGAIN after waiting. With a
// deadline it waits first, because TRY on a blocking descriptor might not return in time.
template <class Try>
std::size_t transfer(int fd, short events, std::string_view verb, std::string_view object,
                     Deadline deadline, Try attempt) {
    if (!deadline.is_never()) wait_or_time_out(fd, events, object, deadline);
    for (;;) {
        const ssize_t moved = attempt();
        if (moved >= 0) return static_cast<std::size_t>(moved);
        if (errno == EINTR) continue;
        if (errno != EAGAIN) throw SysError(verb, object);
        wait_or_time_out(fd, events, object, deadline);
    }
}

} // namespace

std::size_t read_some(int fd, std::span<std::byte> into, std::string_view object,
                      Deadline deadline) {
    return transfer(fd, POLLIN, "read", object, deadline, [&] {
        return sys::call("read", ::read, fd, static_cast<void*>(into.data()), into.size());
    });
}

std::size_t read_exact(int fd, std::span<std::byte> into, std::string_view object,
                       Deadline deadline) {
    std::size_t filled = 0;
    while (filled < into.size()) {
        const std::size_t got = read_some(fd, into.subspan(filled), object, deadline);
        if (got == 0) break;
        filled += got;
    }
    return filled;
}

std::string read_to_end(int fd, std::size_t limit, std::string_view object, Deadline deadline) {
    constexpr std::size_t piece_size = 16UL * 1024;
    std::array<std::byte, piece_size> piece; // NOLINT(cppcoreguidelines-pro-type-member-init)
    std::string text;
    while (const auto got = read_some(fd, piece, object, deadline)) {
        text.append(reinterpret_cast<const char*>(piece.data()), got);
        if (text.size() > limit)
            throw Error(fmt::format("cannot read {}: more than {} bytes", object, limit));
    }
    return text;
}

std::size_t write_some(int fd, std::span<const std::byte> from, std::string_view object,
                       Deadline deadline) {
    return transfer(fd, POLLOUT, "write", object, deadline, [&] {
        return sys::call("write", ::write, fd, static_cast<const void*>(from.data()), from.size());
    });
}

void write_all(int fd, std::span<const std::byte> from, std::string_view object,
               Deadline deadline) {
    while (!from.empty())
        from = from.subspan(write_some(fd, from, object, deadline));
}

void write_all(int fd, std::string_view text, std::string_view object, Deadline deadline) {
    write_all(fd, std::as_bytes(std::span{text}), object, deadline);
}

void sync_file(int fd, std::string_view object) {
    while (sys::call("fsync", ::fsync, fd) < 0)
        if (errno != EINTR) throw SysError("write", object);
}

void set_file_size(int fd, off_t size, std::string_view object) {
    while (sys::call("ftruncate", ::ftruncate, fd, size) < 0)
        if (errno != EINTR) throw SysError("write", object);
}

} // namespace ipcbox
