// Connections wait here for the PROXY header that names their client. Each has a place and a
// deadline. Neither other clients nor the end of the server wait for them.
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
    // A header may take PATIENCE to come. CHANGED is signalled when the waiting thread has to look;
    // it must outlive this object.
    ProxyEntrance(Duration patience, const Event& changed)
        : patience_(patience), changed_(changed) {}

    // Any thread may call it.
    void add(OpenConnection connection);

    // The remaining functions belong to one thread. These two give the descriptors to poll and the
    // time to stop waiting.
    void add_polled(std::vector<pollfd>& entries);
    [[nodiscard]] Deadline next_deadline();
    [[nodiscard]] bool empty() const;

    // A connection that need not wait any more. Its header is complete: the peer and local address
    // are now the client's, and the next bytes are the client's own. Or its header is late or
    // wrong, as PROBLEM says.
    struct Arrival {
        OpenConnection connection;
        std::string problem;  // empty: none
        bool is_ours = false; // the client is not the cause of the problem
    };
    [[nodiscard]] std::vector<Arrival> arrivals();

    // Gives up all connections that still wait, for the end of the server or for its next image.
    // The bytes of their headers are still unread in the sockets.
    [[nodiscard]] std::vector<OpenConnection> take_all();

  private:
    struct Guest {
        OpenConnection connection;
        Deadline deadline;
        std::size_t seen = 0; // bytes of an incomplete header
    };
    enum class Progress { waits, complete, failed };
    [[nodiscard]] static Progress look_at(Guest& guest, Arrival& found);

    const Duration patience_;
    const Event& changed_;
    mutable std::mutex mutex_;
    std::list<Guest> guests_; // in the order of their deadlines
};

} // namespace ipcbox::server
