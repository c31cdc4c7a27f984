#include "net/acceptor.h"

#include "core/error.h"
#include "core/syscall.h"

#include <fmt/core.h>
#include <sys/epoll.h>

namespace ipcbox::net {

namespace {

// Errors of accept(2) that concern one connection only: it was gone before we came, or its network
// failed. The next connection can still be accepted.
bool concerns_one_connection(int error) {
    switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPERM: // a firewall rule
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case ETIMEDOUT:
        return true;
    default:
        return false;
    }
}

} // namespace

std::optional<Accepted> accept_if_any(const Fd& listener, std::string_view where) {
    const auto accept = [](int socket, sockaddr_storage* peer, socklen_t* size) {
        return ::accept4(socket, reinterpret_cast<sockaddr*>(peer), size, SOCK_CLOEXEC);
    };
    for (;;) {
        sockaddr_storage peer{};
        socklen_t size = sizeof peer;
        const int number = sys::call("accept4", accept, listener.get(), &peer, &size);
        if (number >= 0) return Accepted{Fd::adopt(number), Address{peer, size}};
        if (errno == EAGAIN) return std::nullopt;
        if (!concerns_one_connection(errno))
            throw SysError("accept", fmt::format("a connection on {}", where));
    }
}

Acceptor::Acceptor(std::span<const Listener> listeners, const Event& stop) : listeners_(listeners) {
    const int number = sys::call("epoll_create1", ::epoll_create1, EPOLL_CLOEXEC);
    if (number < 0) throw SysError("make", "an event queue");
    poll_ = Fd::adopt(number);
    for (std::size_t each = 0; each < listeners_.size(); ++each)
        watch(listeners_[each].socket.get(), EPOLLIN | EPOLLEXCLUSIVE, each);
    watch(stop.fd(), EPOLLIN, listeners_.size());
}

void Acceptor::watch(int fd, unsigned events, std::uint64_t number) const {
    epoll_event event{};
    event.events = events;
    event.data.u64 = number;
    if (sys::call("epoll_ctl", ::epoll_ctl, poll_.get(), EPOLL_CTL_ADD, fd, &event) < 0)
        throw SysError("wait for", "connections");
}

std::optional<Accepted> Acceptor::accept_if_any() {
    for (std::size_t tried = 0; tried < listeners_.size(); ++tried) {
        const std::size_t each = (first_ + tried) % listeners_.size();
        if (auto accepted = net::accept_if_any(listeners_[each].socket, listeners_[each].text)) {
            first_ = each + 1;
            accepted->listener = each;
            return accepted;
        }
    }
    return std::nullopt;
}

bool Acceptor::wait() noexcept {
    for (;;) {
        epoll_event event{};
        const int ready = sys::call("epoll_wait", ::epoll_wait, poll_.get(), &event, 1, -1);
        if (ready > 0) return event.data.u64 != listeners_.size();
        // The only other error is ENOMEM. It may have passed by the next call.
        if (ready < 0 && errno != EINTR) return true;
    }
}

} // namespace ipcbox::net
