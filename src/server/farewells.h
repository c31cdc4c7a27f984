// Connections that got their last line and are about to end. A socket that is closed with input
// unread, or to which input comes later, sends a reset (RFC 9293, 3.10.7.4), and the client sees an
// error instead of the line. So we end our side, and for a short time we read and drop what the
// client still sends, until it ends its side too.
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

    // Takes SOCKET, whose last line was sent. Any thread may call it. When there are too many
    // sockets the oldest is closed.
    void add(Fd socket);

    // The remaining functions belong to one thread. These two give the descriptors to poll and the
    // time to stop waiting.
    void add_polled(std::vector<pollfd>& entries);
    [[nodiscard]] Deadline next_deadline();
    // Drops the input that came, and closes each socket whose client has ended or whose time is
    // over.
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
