#include "net/socket_io.h"

#include "core/error.h"
#include "core/lost_connection.h"
#include "core/poll.h"
#include "core/syscall.h"

#include <array>
#include <cstddef>
#include <fmt/core.h>
#include <sys/socket.h>

namespace ipcbox::net {

namespace {

std::uint64_t send_with(const Fd& socket, std::string_view text, int flags) {
    std::uint64_t sent = 0;
    while (!text.empty()) {
        const ssize_t moved =
            sys::call("send", ::send, socket.get(), static_cast<const void*>(text.data()),
                      text.size(), flags | MSG_DONTWAIT | MSG_NOSIGNAL);
        if (moved < 0 && errno == EINTR) continue;
        if (moved <= 0) break;
        sent += static_cast<std::uint64_t>(moved);
        text.remove_prefix(static_cast<std::size_t>(moved));
    }
    return sent;
}

// SENT is what came of TEXT.
std::uint64_t checked(std::uint64_t sent, std::string_view text, int error) {
    if (sent < text.size() && error != EPIPE && !is_lost_connection(error))
        throw SysError("answer", "a client", error);
    return sent;
}

} // namespace

std::uint64_t send_if_possible(const Fd& socket, std::string_view text) {
    const auto sent = send_with(socket, text, 0);
    return checked(sent, text, errno);
}

std::uint64_t send_and_end(const Fd& socket, std::string_view text) {
    const auto sent = send_with(socket, text, MSG_MORE);
    const int error = errno;
    sys::call("shutdown", ::shutdown, socket.get(), SHUT_WR);
    return checked(sent, text, error);
}

void send_all(const Fd& socket, std::string_view text, std::string_view object, Deadline deadline) {
    for (;;) {
        errno = 0;
        text.remove_prefix(static_cast<std::size_t>(send_with(socket, text, 0)));
        if (text.empty()) return;
        if (errno != EAGAIN) throw SysError("write", object);
        if (!wait_for(socket.get(), POLLOUT, deadline))
            throw TimedOut(fmt::format("writing {}", object));
    }
}

std::uint64_t discard_input(const Fd& socket) {
    std::array<std::byte, 4096> buffer;
    // Stop at some point, because a client may send for ever.
    constexpr std::uint64_t enough = 256UL * 1024;
    std::uint64_t discarded = 0;
    while (discarded < enough) {
        const ssize_t moved =
            sys::call("recv", ::recv, socket.get(), static_cast<void*>(buffer.data()),
                      buffer.size(), MSG_DONTWAIT);
        if (moved < 0 && errno == EINTR) continue;
        if (moved <= 0) break;
        discarded += static_cast<std::uint64_t>(moved);
    }
    return discarded;
}

} // namespace ipcbox::net
