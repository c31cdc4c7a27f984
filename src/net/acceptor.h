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

// A connection to LISTENER, which is told of as WHERE, that is there already; nothing when there is
// none. Throws as Acceptor::accept_if_any().
[[nodiscard]] std::optional<Accepted> accept_if_any(const Fd& listener, std::string_view where);

class Acceptor {
  public:
    // Both have to outlive it. Throws SysError.
    Acceptor(std::span<const Listener> listeners, const Event& stop);

    // A connection that is there already; nothing when there is none. Throws SysError for what the
    // system lacks (EMFILE, ENFILE, ENOMEM, ENOBUFS): the connection stays in the backlog.
    [[nodiscard]] std::optional<Accepted> accept_if_any();
    // Waits until there may be one. False once STOP is signalled. Never throws.
    [[nodiscard]] bool wait() noexcept;

  private:
    void watch(int fd, unsigned events, std::uint64_t number) const;

    std::span<const Listener> listeners_;
    std::size_t first_ = 0; // whose turn it is
    Fd poll_;
};

} // namespace ipcbox::net
