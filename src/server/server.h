// The server: it accepts in several loops, starts a program for each connection with the socket as
// its standard input and output, and reaps it. TCP and Unix sockets differ in their addresses only.
//
// One thread waits for signals, ended children and limits that pass; the loops accept and start
// programs, so that one exec (which takes a core) does not hold up the next. What a connection
// needs beyond its program (a transcript, say) is a child process too: everything that serves a
// connection can be reaped, signalled and handed over to our next image alike.
#pragma once

#include "core/environment.h"
#include "core/event.h"
#include "core/once_per.h"
#include "core/signals.h"
#include "core/spawn.h"
#include "net/acceptor.h"
#include "net/listener.h"
#include "net/peer_process.h"
#include "server/access_file.h"
#include "server/admission.h"
#include "server/connection.h"
#include "server/proxy_entrance.h"
#include "server/relayed_program.h"
#include "server/reverse_names.h"
#include "server/served_children.h"

#include <atomic>
#include <functional>
#include <thread>

namespace ipcbox::server {

struct ServerConfig {
    // What serves a connection. Without a program the greeting is all that a client gets.
    std::string program;
    std::vector<std::string> arguments;
    Environment environment; // below what tells of the connection
    std::vector<ResourceLimit> resource_limits;
    std::optional<int> nice;
    bool no_new_privileges = false;
    // Said first, if there is one.
    std::function<std::string(const Connection&)> greeting;

    int loops = 1;
    Gate::Limits gate;
    // Said to a client for whom there is no place; without it he waits in the backlog.
    std::optional<std::string> over;
    // Connections of one network at a time; a network has so many bits in common.
    std::optional<unsigned> per_network;
    unsigned network_bits_4 = 32;
    unsigned network_bits_6 = 64;
    std::string access_file;               // rules on addresses; empty: everybody may
    std::vector<net::PeerRule> peer_rules; // for Unix sockets: who fulfils one of them may
    // How long a PROXY header may take; without it none is expected.
    std::optional<Duration> proxy_patience;

    bool look_up_names = false;
    // How a connection that passes through us is served; not all do.
    std::optional<SessionPlan> session;

    ServedChildren::Limits limits;
    Duration grace = std::chrono::seconds{30}; // for connections, when we are to end
    bool count_traffic = false;
};

// What happens. Called from several threads at the same time.
class ServerEvents {
  public:
    virtual ~ServerEvents() = default;
    virtual void connected(const Connection& connection) = 0;
    // A child serves it.
    virtual void started(const Connection& connection) = 0;
    virtual void ended(const Connection& connection, const ConnectionEnd& end) = 0;
    // A client that was turned away.
    virtual void refused(const Connection& connection, const std::string& why) = 0;
    // Something that an administrator wants to know.
    virtual void trouble(const std::string& what) = 0;
    // The name of an address has become known.
    virtual void named(const std::string& ip, const std::string& name) = 0;
    // SIGUSR1 asks for what goes on.
    virtual void table(const std::vector<Connection>& connections) = 0;
};

class Server {
  public:
    // SIGNALS has TERM, INT, HUP, USR1 and CHLD, and is older than any thread. RUNNING is what our
    // former image left.
    Server(ServerConfig config, std::vector<net::Listener>& listeners, SignalFd& signals,
           ServerEvents& events);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    // Takes up a connection that our former image had.
    void resume(ServedChild child);

    enum class Outcome {
        drained,   // every connection came to its own end
        cut_short, // some were ended by us
        restart,   // SIGHUP: to be called again if we cannot become our next image
    };
    // Serves until it is to end.
    [[nodiscard]] Outcome run();

    [[nodiscard]] ServedChildren& children() { return children_; }

  private:
    enum class Stage { serving, restarting, draining, terminating, killing };

    // What lets a client in.
    struct Admission {
        std::string network; // as the gate counts it; empty when it does not
        std::vector<std::string> variables;
    };

    void start_loops();
    void accept_loop();
    [[nodiscard]] bool accept_one(net::Acceptor& acceptor);
    bool turn_away(const net::Accepted& accepted);
    void take(net::Accepted accepted);
    void take_arrivals();
    void try_to_welcome(Fd socket, Connection connection);
    void welcome(Fd socket, Connection connection);
    [[nodiscard]] Connection describe(const net::Accepted& accepted) const;
    [[nodiscard]] std::optional<Admission> admit(const Connection& connection);
    void answer(const Fd& socket, const Connection& connection, const std::string& greeting);
    void start_child(Fd socket, Connection connection, const Admission& admission);
    [[nodiscard]] Started start_patiently(const Fd& socket, const Connection& connection,
                                          const SpawnPlan& plan);
    void child_ended(const ServedChild& child, WaitStatus status);
    // The rule that lets the client in, if there are rules; nothing for one who may not.
    [[nodiscard]] std::optional<AccessRule> find_rule(const Connection& connection);
    [[nodiscard]] bool is_allowed(const net::PeerProcess& peer) const;
    void refuse(const Connection& connection, const std::string& why);
    // Once in a while, however often it happens.
    void tell_shortage(const std::string& what);

    void handle_signals();
    void stop_accepting();
    void end_stage();
    [[nodiscard]] bool is_idle();
    void wait_for_events();

    const ServerConfig config_;
    std::vector<net::Listener>& listeners_;
    SignalFd& signals_;
    ServerEvents& events_;
    Gate gate_;
    ServedChildren children_;
    std::optional<ProxyEntrance> entrance_;
    std::optional<ReverseNames> names_;
    std::mutex access_mutex_;
    std::optional<AccessFile> access_;
    Event stop_loops_;
    Event wake_; // the waiting thread
    Stage stage_ = Stage::serving;
    Deadline stage_ends_ = Deadline::never();
    std::atomic<bool> is_grace_over_ = false;
    std::atomic<int> running_loops_ = 0;
    OncePer shortage_{shortage_silence};
    std::vector<std::jthread> loops_; // the last member: they use the others until they end
};

} // namespace ipcbox::server
