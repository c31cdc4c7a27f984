#include "front/client/socket_writer.h"

#include "core/error.h"
#include "core/lost_connection.h"
#include "core/poll.h"
#include "core/syscall.h"

#include <fmt/core.h>
#include <sys/socket.h>

namespace ipcbox::front {

void SocketWriter::send_now() {
    std::size_t sent = 0;
    while (sent < pending_.size() && !is_refused()) {
        const ssize_t moved =
            sys::call("send", ::send, socket_, static_cast<const void*>(pending_.data() + sent),
                      pending_.size() - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (moved >= 0)
            sent += static_cast<std::size_t>(moved);
        else if (errno == EAGAIN)
            break;
        else if (errno == EPIPE || is_lost_connection(errno))
            refusal_ = errno;
        else if (errno != EINTR)
            throw SysError("write", object_);
    }
    pending_.erase(0, is_refused() ? pending_.size() : sent);
}

void SocketWriter::send_all(Deadline deadline) {
    for (;;) {
        send_now();
        check();
        if (pending_.empty()) return;
        if (!wait_for(socket_, POLLOUT, deadline))
            throw TimedOut(fmt::format("writing {}", object_));
    }
}

void SocketWriter::end() const {
    sys::call("shutdown", ::shutdown, socket_, SHUT_WR);
}

void SocketWriter::check() const {
    if (is_refused()) throw SysError("write", object_, refusal_);
}

} // namespace ipcbox::front
