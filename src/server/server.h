// The server: it accepts in several loops, starts a program for each connection with the socket as
// its standard input and output, and reaps it. TCP and Unix sockets differ in their addresses only.
//
// The way of a connection, an OpenConnection that moves from stage to stage:
//   accept loop      takes a place and accepts                            accepted()
//   entrance         waits for a PROXY header, if one is expected         take_arrivals()
//   reception        access rules, log, greeting; starts its program      welcome(), work()
//   children         time limits, signals, end                            end_connections()
// In every stage, the end of the server waits at most for the program of the connection.
//
// One thread, in run(), waits for signals, ended children and deadlines. It never waits for
// something that only this thread can end.
#pragma once

#include "core/event.h"
#include "core/signals.h"
#include "net/listener.h"
#include "server/accept_loops.h"
#include "server/config.h"
#include "server/events.h"
#include "server/hang_up.h"
#include "server/lifetime.h"
#include "server/proxy_entrance.h"
#include "server/reception.h"
#include "server/served_children.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::server {

// Everything that a server leaves to its next image, beside the listening sockets.
struct Inheritance {
    std::vector<ServedChild> children;
    std::vector<OpenConnection> guests;   // wait for their PROXY header
    std::vector<OpenConnection> unserved; // wait for a process
    std::uint64_t served = 0;             // connections so far, for the total
};

class Server : private AcceptLoops::Handler {
  public:
    // SIGNALS has TERM, INT, HUP, USR1 and CHLD, and must be made before any thread. The
    // constructor opens what the server needs to accept. SERVED connections were served before.
    // Throws Error.
    Server(ServerConfig config, std::vector<net::Listener>& listeners, SignalFd& signals,
           ServerEvents& events, std::uint64_t served = 0);
    ~Server() override;
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Takes up the connections of our former image.
    void resume(Inheritance inheritance);
    // Makes the server ready to accept clients, which run() then does. Throws Error.
    void start();

    enum class Outcome {
        drained,   // every connection came to its own end
        cut_short, // some were ended by us
        restart,   // SIGHUP: start() and run() again if we cannot become our next image
    };
    // Serves until the server must end.
    [[nodiscard]] Outcome run();

    // For a restart: lends what the next image will get, and takes it back when there is none.
    [[nodiscard]] ServedChildren& children() { return children_; }
    [[nodiscard]] Inheritance lend_waiting();
    void put_back(Inheritance waiting);

  private:
    // In the accept loops.
    void accepted(net::Accepted accepted, Place place) override;
    void no_place(net::Accepted accepted) override;
    void shortage(const std::string& what) override;
    [[nodiscard]] Connection describe(const net::Accepted& accepted) const;

    // In the waiting thread.
    void take_arrivals();
    void end_connections();
    void refuse_waiting();
    void handle_signals();
    void obey(Lifetime::Order order);
    [[nodiscard]] bool has_waiting() const;
    [[nodiscard]] bool is_done();
    void wait_for_events();

    const ServerConfig config_;
    std::vector<net::Listener>& listeners_;
    SignalFd& signals_;
    ServerEvents& events_;
    Event wake_; // the waiting thread
    Admission admission_;
    ServedChildren children_;
    std::optional<ProxyEntrance> entrance_;
    Reception reception_;
    const HangUp hang_up_;
    Lifetime lifetime_;
    Deadline heartbeat_at_ = Deadline::never();
    bool was_cut_short_ = false; // connections that no child served
    AcceptLoops loops_;          // the last member: they use the others until they end
};

} // namespace ipcbox::server
