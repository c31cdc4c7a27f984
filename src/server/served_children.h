// The children that serve a server's connections: reaped whatever the burst, held to their time
// limits, signalled together. Any thread may add one; the others functions belong to one thread.
#pragma once

#include "core/event.h"
#include "core/fd.h"
#include "server/connection.h"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace ipcbox::server {

// A connection that a child serves: the leader of a process group of its own.
struct ServedChild {
    Connection connection;
    std::string network; // as the gate counts it; empty when it does not
    Fd socket;           // kept for what has to be asked of it, if anything
};

class ServedChildren {
  public:
    struct Limits {
        std::optional<Duration> longest;   // of a connection
        std::optional<Duration> idle;      // without a byte either way; TCP only (tcp(7), TCP_INFO)
        std::optional<Duration> handshake; // until the client's first byte; TCP only
    };
    // What is done with one that has ended, and with what an administrator wants to know.
    using Ended = std::function<void(const ServedChild&, WaitStatus)>;
    using Trouble = std::function<void(const std::string&)>;

    ServedChildren(Limits limits, Ended ended, Trouble trouble);

    // While one of these lives, a child may end before it was added.
    class Start {
      public:
        explicit Start(ServedChildren& children);
        ~Start();
        Start(const Start&) = delete;
        Start& operator=(const Start&) = delete;

        // The child was started; it may have been reaped by now.
        void done(ServedChild child);

      private:
        ServedChildren& children_;
    };

    // Readable when a deadline has become earlier, or a child was added that had ended; clear it
    // and look.
    [[nodiscard]] const Event& changed() const { return changed_; }

    // Reaps all that have ended.
    void reap();
    // Ends those whose time is over: TERM to the group, KILL five seconds later.
    void act_on_deadlines();
    [[nodiscard]] Deadline next_deadline();
    // Those that are being started get it, too.
    void signal_all(int signal);
    // Whether that met any.
    [[nodiscard]] bool were_signalled();
    [[nodiscard]] bool empty();
    [[nodiscard]] std::vector<Connection> connections();
    // Calls USE with each, to look at or to change what is to be handed over to our next image.
    void for_each(const std::function<void(ServedChild&)>& use);

  private:
    struct Entry {
        ServedChild child;
        Deadline kill_at = Deadline::never();
        Deadline due = Deadline::never();
    };

    void add(ServedChild child);
    [[nodiscard]] Deadline first_deadline(const ServedChild& child) const;
    void set_due(Entry& entry, Deadline due);
    void look_at(Entry& entry);
    void end(Entry& entry, const std::string& why);

    const Limits limits_;
    const Ended ended_;
    const Trouble trouble_;
    Event changed_;

    std::mutex mutex_; // of what follows
    std::map<pid_t, Entry> entries_;
    std::optional<int> signal_for_all_;
    bool were_signalled_ = false;
    std::set<std::pair<Deadline, pid_t>> due_;
    // Those that were reaped while others (or they) were being started.
    std::map<pid_t, WaitStatus> ended_early_;
    int starting_ = 0;
};

// What the kernel tells about a TCP connection (tcp(7), TCP_INFO).
struct TcpActivity {
    Traffic traffic;
    Duration silent{}; // since the last byte either way
};
// Nothing for what is no TCP socket.
[[nodiscard]] std::optional<TcpActivity> tcp_activity(const Fd& socket);

} // namespace ipcbox::server
