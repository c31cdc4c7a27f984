// The reception of a server: from an accepted connection to the program that serves it. It asks the
// rules, reports the connection, greets the client and starts the program. While the system has no
// process for it, the connection waits here.
#pragma once

#include "core/event.h"
#include "core/once_per.h"
#include "server/access.h"
#include "server/config.h"
#include "server/events.h"
#include "server/farewells.h"
#include "server/reverse_names.h"
#include "server/served_children.h"
#include "server/unserved.h"

#include <optional>
#include <poll.h>
#include <string>
#include <vector>

namespace ipcbox::server {

class Reception {
  public:
    // All arguments must outlive this object. CHANGED is signalled when the waiting thread has to
    // look. Throws Error when the rules cannot be read.
    Reception(const ServerConfig& config, ServerEvents& events, Admission& admission,
              ServedChildren& children, const Event& changed);

    // Any thread may call these three.
    //
    // Refuses the client, or greets it and starts its program. Without a program, the greeting is
    // the whole answer. Does not throw: failures are reported.
    void welcome(OpenConnection connection);
    // Sends CONFIG.over to a client for which there is no place, and refuses it.
    void turn_away(const Connection& told, Fd socket);
    // Reports that the system lacks something, but only once in a while.
    void shortage(const std::string& what);

    // The remaining functions belong to the waiting thread. These two give the descriptors to poll
    // and the time to stop waiting.
    void add_polled(std::vector<pollfd>& entries) { farewells_.add_polled(entries); }
    [[nodiscard]] Deadline next_deadline();
    // Closes the connections that have got their last line, and tries again to start programs.
    void work();

    // The connections that wait for a process: whether there are any, all of them, and back again.
    [[nodiscard]] bool has_waiting() const { return !unserved_.empty(); }
    [[nodiscard]] std::vector<OpenConnection> take_waiting() { return unserved_.take_all(); }
    void put_back(std::vector<OpenConnection> waiting) { unserved_.put_back(std::move(waiting)); }

  private:
    void begin(OpenConnection connection);
    void try_to_begin(OpenConnection& connection);
    void confirm(OpenConnection& connection);
    void answer(OpenConnection connection, const std::string& greeting);

    const ServerConfig& config_;
    ServerEvents& events_;
    Admission& admission_;
    ServedChildren& children_;
    const Event& changed_;
    Access access_;
    Farewells farewells_;
    std::optional<ReverseNames> names_;
    Unserved unserved_;
    OncePer shortage_{shortage_silence};
};

} // namespace ipcbox::server
