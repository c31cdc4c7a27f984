// The children that serve a server's connections. This class reaps them, even in a burst, enforces
// their time limits and signals them together. Any thread may start one; the other functions belong
// to one thread.
//
// The limits apply to the connection, not to the child. When a program ends and a process of its
// group keeps the connection (sh -c 'worker & exit'), the connection lasts until that process
// closes it. Until then it keeps its place and all its time limits.
#pragma once

#include "core/event.h"
#include "server/connection.h"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace ipcbox::server {

// A connection that a child serves: the leader of a process group of its own.
struct ServedChild {
    OpenConnection connection;
    ino_t socket_inode = 0; // of the connection's socket, by which its holders are found
    // Set once the child has ended, when other processes of its group keep the connection.
    std::optional<WaitStatus> status = {};
};

// A connection that is over, with the status of its child.
struct EndedChild {
    OpenConnection connection;
    WaitStatus status;
};

class ServedChildren {
  public:
    struct Limits {
        std::optional<Duration> longest;   // of a connection
        std::optional<Duration> idle;      // without a byte either way; TCP only (tcp(7), TCP_INFO)
        std::optional<Duration> handshake; // until the client's first byte; TCP only
    };
    // Called with news for the administrator. It must not call this object.
    using Trouble = std::function<void(const std::string&)>;

    // CHANGED is signalled when the waiting thread has to look; it must outlive this object.
    ServedChildren(Limits limits, Trouble trouble, const Event& changed);

    // While one of these objects lives, a child may end before it was added.
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

    // Reaps all children that have ended; returns the connections that are over.
    [[nodiscard]] std::vector<EndedChild> reap();
    // Ends connections whose time is over: TERM to the group, KILL five seconds later.
    void act_on_deadlines();
    [[nodiscard]] Deadline next_deadline();
    // Sends SIGNAL to all groups, also to those of children that are being started.
    void signal_all(int signal);
    // Whether signal_all() met any child.
    [[nodiscard]] bool were_signalled();
    [[nodiscard]] bool empty();
    [[nodiscard]] std::vector<Connection> connections();
    // Calls USE with each child, to read or change what our next image will get.
    void for_each(const std::function<void(ServedChild&)>& use);

  private:
    struct Entry {
        ServedChild child;
        Deadline kill_at = Deadline::never();
        Deadline due = Deadline::never();
        Duration look_again_after = std::chrono::milliseconds{20}; // once the child has ended
        std::optional<int> signal; // of signal_all(), which its group got
    };

    void add(ServedChild child);
    void child_ended(pid_t pid, WaitStatus status);
    [[nodiscard]] Deadline first_deadline(const ServedChild& child) const;
    void set_due(Entry& entry, Deadline due);
    void look_at(Entry& entry);
    [[nodiscard]] Deadline act_on_limits(Entry& entry);
    [[nodiscard]] Deadline end(Entry& entry, const std::string& why);

    const Limits limits_;
    const Trouble trouble_;
    const Event& changed_;

    std::mutex mutex_; // of what follows
    std::map<pid_t, Entry> entries_;
    std::vector<EndedChild> ended_; // since the last reap()
    std::optional<int> signal_for_all_;
    bool were_signalled_ = false;
    std::set<std::pair<Deadline, pid_t>> due_;
    // Children that were reaped while they, or others, were being started.
    std::map<pid_t, WaitStatus> ended_early_;
    int starting_ = 0;
};

// The kernel's counts of a TCP connection (tcp(7), TCP_INFO).
struct TcpActivity {
    Traffic traffic;
    Duration silent{}; // since the last byte either way
};
// The counts for CONNECTION, without its PROXY header. Nothing when it is not a TCP socket.
[[nodiscard]] std::optional<TcpActivity> tcp_activity(const OpenConnection& connection);

} // namespace ipcbox::server
