// Where connections wait for the PROXY header that says who their client is: as many as there are
// places, each no longer than it may, and nobody else waits for them.
#pragma once

#include "core/event.h"
#include "server/connection.h"

#include <list>
#include <mutex>
#include <poll.h>
#include <string>
#include <vector>

namespace ipcbox::server {

class ProxyEntrance {
  public:
    explicit ProxyEntrance(Duration patience) : patience_(patience) {}

    // From any thread; changed() tells the waiting one.
    void add(Fd socket, Connection connection);
    [[nodiscard]] const Event& changed() const { return changed_; }

    // The rest is for one thread. What to poll, and until when.
    void add_polled(std::vector<pollfd>& entries);
    [[nodiscard]] Deadline next_deadline();
    [[nodiscard]] bool empty();

    // Those who have said who they are: peer and local are the client's now, and what it sends
    // itself comes next. Or there is a problem with them.
    struct Arrival {
        Fd socket;
        Connection connection;
        std::string problem; // empty: none
    };
    [[nodiscard]] std::vector<Arrival> arrivals();

  private:
    struct Guest {
        Fd socket;
        Connection connection;
        Deadline deadline;
        std::size_t seen = 0; // bytes of an incomplete header
    };
    enum class Progress { waits, complete, failed };
    [[nodiscard]] static Progress look_at(Guest& guest, std::string& problem);

    const Duration patience_;
    Event changed_;
    std::mutex mutex_;
    std::list<Guest> guests_; // in the order of their deadlines
};

} // namespace ipcbox::server
