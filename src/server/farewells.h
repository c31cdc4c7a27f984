// Connections that got their last line and are about to end. A socket that is closed with input
// unread, or to which input comes later, sends a reset (RFC 9293, 3.10.7.4), and the client sees an
// error instead of the line. So our side ends, and what the client still sends is thrown away until
// its side ends too, for a short time.
#pragma once

#include "core/deadline.h"
#include "core/event.h"

#include <deque>
#include <mutex>
#include <poll.h>
#include <vector>

namespace ipcbox::server {

class Farewells {
  public:
    // CHANGED is signalled when the waiting thread has to look; it has to outlive this.
    explicit Farewells(const Event& changed) : changed_(changed) {}

    // SOCKET's line was sent. From any thread. The oldest is closed when there are too many.
    void add(Fd socket);

    // The rest is for one thread. What to poll, and until when.
    void add_polled(std::vector<pollfd>& entries);
    [[nodiscard]] Deadline next_deadline();
    // Throws away what came, and closes the sockets whose client has ended or whose time is over.
    void look();

  private:
    struct Farewell {
        Fd socket;
        Deadline deadline;
    };
    const Event& changed_;
    std::mutex mutex_;
    std::deque<Farewell> farewells_; // in the order of their deadlines
};

} // namespace ipcbox::server
