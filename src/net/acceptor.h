// Accepting from several listening sockets in one loop of several: accept4(2), and epoll(7) with
// EPOLLEXCLUSIVE, so that a connection wakes one loop and not all of them.
#pragma once

#include "core/event.h"
#include "net/listener.h"

#include <optional>
#include <span>

namespace ipcbox::net {

struct Accepted {
    Fd socket; // blocking, as the program that gets it expects
    Address peer;
    std::size_t listener = 0; // its number
};

// Accepts a connection that LISTENER has already; returns nothing when there is none. Errors call
// the listener WHERE. Throws as Acceptor::accept_if_any().
[[nodiscard]] std::optional<Accepted> accept_if_any(const Fd& listener, std::string_view where);

class Acceptor {
  public:
    // LISTENERS and STOP must outlive this object. Throws SysError.
    Acceptor(std::span<const Listener> listeners, const Event& stop);

    // Accepts a connection that is there already; returns nothing when there is none. Throws
    // SysError when the system lacks something (EMFILE, ENFILE, ENOMEM, ENOBUFS): the connection
    // then stays in the backlog.
    [[nodiscard]] std::optional<Accepted> accept_if_any();
    // Waits until there may be a connection. False once STOP is signalled. Never throws.
    [[nodiscard]] bool wait() noexcept;

  private:
    void watch(int fd, unsigned events, std::uint64_t number) const;

    std::span<const Listener> listeners_;
    std::size_t first_ = 0; // whose turn it is
    Fd poll_;
};

} // namespace ipcbox::net
