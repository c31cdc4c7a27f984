// The server: it accepts in several loops, starts a program for each connection with the socket as
// its standard input and output, and reaps it. TCP and Unix sockets differ in their addresses only.
//
// The way of a connection, an OpenConnection that moves from stage to stage:
//   accept loop      takes a place and accepts                            accepted()
//   entrance         waits for a PROXY header, if one is expected         take_arrivals()
//   welcome()        access rules, log, greeting
//   begin()          its program is started; a shortage makes it wait     retry_starts()
//   children         time limits, signals, end                            end_connections()
// In every stage, the end of the server waits at most for the program of the connection.
//
// One thread, in run(), waits for signals, ended children and deadlines. It never waits for
// something that only this thread can end.
#pragma once

#include "core/event.h"
#include "core/once_per.h"
#include "core/signals.h"
#include "net/listener.h"
#include "server/accept_loops.h"
#include "server/access.h"
#include "server/farewells.h"
#include "server/proxy_entrance.h"
#include "server/reverse_names.h"
#include "server/served_children.h"
#include "server/starter.h"
#include "server/unserved.h"

#include <functional>
#include <poll.h>

namespace ipcbox::server {

struct ServerConfig {
    ProgramPlan program; // without one the greeting is all that a client gets
    // Sent to a client first, if there is one.
    std::function<std::string(const Connection&)> greeting;

    int loops = 1;
    Admission::Limits admission;
    // Sent to a client for which there is no place; without it the client waits in the backlog.
    std::optional<std::string> over;
    Access::Limits access;
    // How long a PROXY header may take; without it none is expected.
    std::optional<Duration> proxy_patience;
    bool look_up_names = false;

    ServedChildren::Limits limits;
    Duration grace = std::chrono::seconds{30}; // for connections, when the server is to end
    // The server ends by itself after this time without a connection.
    std::optional<Duration> exit_idle_time;
    bool count_traffic = false;
    // How often ServerEvents::alive() is called; never without it.
    std::optional<Duration> heartbeat;
};

// Called when something happens. Several threads may call it at the same time.
class ServerEvents {
  public:
    virtual ~ServerEvents() = default;
    virtual void connected(const Connection& connection) = 0;
    // A child serves it.
    virtual void started(const Connection& connection) = 0;
    virtual void ended(const Connection& connection, const ConnectionEnd& end) = 0;
    // A client was turned away.
    virtual void refused(const Connection& connection, const std::string& why) = 0;
    // News for the administrator.
    virtual void trouble(const std::string& what) = 0;
    // The name of an address has become known.
    virtual void named(const std::string& ip, const std::string& name) = 0;
    // SIGUSR1 asked for the table of connections.
    virtual void table(const std::vector<Connection>& connections) = 0;
    // The server accepts no more clients, and is about to end.
    virtual void draining() = 0;
    // The waiting thread is at work.
    virtual void alive() = 0;
};

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
    enum class Stage { serving, restarting, draining, terminating, killing };

    // In the accept loops.
    void accepted(net::Accepted accepted, Place place) override;
    void no_place(net::Accepted accepted) override;
    void shortage(const std::string& what) override; // reported once in a while

    [[nodiscard]] Connection describe(const net::Accepted& accepted) const;
    // In an accept loop, or in the waiting thread for a client behind a proxy. Neither throws.
    void welcome(OpenConnection connection);
    void begin(OpenConnection connection);
    void try_to_begin(OpenConnection& connection);
    void confirm(OpenConnection& connection);
    void answer(OpenConnection connection, const std::string& greeting);

    // In the waiting thread.
    void take_arrivals();
    void retry_starts();
    void end_connections();
    void refuse_waiting();
    void handle_signals();
    void stop_accepting();
    void begin_drain();
    void end_stage();
    void end_when_idle();
    [[nodiscard]] bool has_waiting() const;
    [[nodiscard]] bool is_done();
    void wait_for_events();

    const ServerConfig config_;
    std::vector<net::Listener>& listeners_;
    SignalFd& signals_;
    ServerEvents& events_;
    Event wake_; // the waiting thread
    Admission admission_;
    Access access_;
    ServedChildren children_;
    Farewells farewells_;
    std::optional<ProxyEntrance> entrance_;
    std::optional<ReverseNames> names_;
    Unserved unserved_;
    OncePer shortage_{shortage_silence};

    Stage stage_ = Stage::serving;
    Deadline stage_ends_ = Deadline::never();
    Deadline heartbeat_at_ = Deadline::never();
    Deadline idle_ends_ = Deadline::never();
    std::uint64_t served_before_idle_ = 0;
    bool was_cut_short_ = false; // connections that no child served
    AcceptLoops loops_;          // the last member: they use the others until they end
};

} // namespace ipcbox::server
