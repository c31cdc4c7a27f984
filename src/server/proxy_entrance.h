// Where connections wait for the PROXY header that says who their client is. Each has a place and a
// deadline; neither other clients nor the end of the server wait for them.
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
    // PATIENCE is how long a header may take. CHANGED is signalled when the waiting thread has to
    // look; it has to outlive this.
    ProxyEntrance(Duration patience, const Event& changed)
        : patience_(patience), changed_(changed) {}

    // From any thread.
    void add(OpenConnection connection);

    // The rest is for one thread. What to poll, and until when.
    void add_polled(std::vector<pollfd>& entries);
    [[nodiscard]] Deadline next_deadline();
    [[nodiscard]] bool empty();

    // Connections whose header is complete: their peer and local address are the client's now, and
    // the next bytes are its own. Or there is a problem with them.
    struct Arrival {
        OpenConnection connection;
        std::string problem; // empty: none
    };
    [[nodiscard]] std::vector<Arrival> arrivals();

    // Gives up all that still wait, for the end of the server or for its next image. Nothing of
    // their headers was taken from the sockets.
    [[nodiscard]] std::vector<OpenConnection> take_all();

  private:
    struct Guest {
        OpenConnection connection;
        Deadline deadline;
        std::size_t seen = 0; // bytes of an incomplete header
    };
    enum class Progress { waits, complete, failed };
    [[nodiscard]] static Progress look_at(Guest& guest, std::string& problem);

    const Duration patience_;
    const Event& changed_;
    std::mutex mutex_;
    std::list<Guest> guests_; // in the order of their deadlines
};

} // namespace ipcbox::server
