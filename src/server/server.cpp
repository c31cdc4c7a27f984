#include "server/server.h"

#include "core/error.h"
#include "core/poll.h"
#include "core/syscall.h"
#include "net/socket_io.h"

#include <algorithm>
#include <csignal>
#include <fmt/core.h>
#include <sys/stat.h>

namespace ipcbox::server {

namespace {

// 0 when it is unknown. No socket has this number.
ino_t inode_of(const Fd& socket) {
    struct stat status {};
    return sys::call("fstat", ::fstat, socket.get(), &status) == 0 ? status.st_ino : 0;
}

} // namespace

Server::Server(ServerConfig config, std::vector<net::Listener>& listeners, SignalFd& signals,
               ServerEvents& events, std::uint64_t served)
    : config_(std::move(config)), listeners_(listeners), signals_(signals), events_(events),
      admission_(config_.admission, served),
      access_(config_.access, [this](const std::string& what) { events_.trouble(what); }),
      children_(
          config_.limits, [this](const std::string& what) { events_.trouble(what); }, wake_),
      farewells_(wake_), loops_(listeners, admission_, *this, wake_, config_.loops,
                                config_.over ? AcceptLoops::WithoutPlace::turn_away
                                             : AcceptLoops::WithoutPlace::wait) {
    if (config_.look_up_names)
        names_.emplace(
            [this](const std::string& ip, const std::string& name) { events_.named(ip, name); });
    if (config_.proxy_patience) entrance_.emplace(*config_.proxy_patience, wake_);
}

Server::~Server() = default;

void Server::resume(Inheritance inheritance) {
    const auto take_over = [this](OpenConnection& connection, Admission::Counted counted) {
        connection.place = admission_.take_over(std::move(connection.place), counted);
    };
    for (auto& child : inheritance.children) {
        take_over(child.connection, Admission::Counted::already);
        ServedChildren::Start{children_}.done(std::move(child));
    }
    for (auto* stage : {&inheritance.guests, &inheritance.unserved})
        for (auto& connection : *stage)
            take_over(connection, Admission::Counted::not_yet);
    put_back(std::move(inheritance));
}

void Server::start() {
    stage_ = Stage::serving;
    admission_.open();
    loops_.start();
}

// --- The way of a connection

void Server::accepted(net::Accepted accepted, Place place) {
    OpenConnection connection{describe(accepted), std::move(accepted.socket), std::move(place), {}};
    if (entrance_)
        entrance_->add(std::move(connection));
    else
        welcome(std::move(connection));
}

void Server::no_place(net::Accepted accepted) {
    net::send_if_possible(accepted.socket, *config_.over);
    events_.refused(describe(accepted), "no place is free");
    farewells_.add(std::move(accepted.socket));
}

void Server::shortage(const std::string& what) {
    if (shortage_.is_due()) events_.trouble(what + "; trying again");
}

Connection Server::describe(const net::Accepted& accepted) const {
    Connection connection;
    connection.started = Deadline::Clock::now();
    connection.peer = accepted.peer;
    connection.local = listeners_[accepted.listener].address;
    // We listen on all our addresses, so find out which one the client used.
    if (connection.local.is_wildcard())
        connection.local = net::local_address(accepted.socket.get());
    return connection;
}

void Server::take_arrivals() {
    if (!entrance_) return;
    for (auto& [connection, problem] : entrance_->arrivals())
        if (problem.empty())
            welcome(std::move(connection));
        else
            events_.refused(connection.told, problem);
}

void Server::welcome(OpenConnection connection) {
    const auto peer = connection.told.peer_text();
    try {
        if (const auto reason = access_.refuse(connection))
            return events_.refused(connection.told, *reason);
        if (names_) connection.told.peer_name = names_->name_of(connection.told.peer);
        events_.connected(connection.told);
        const auto greeting = config_.greeting ? config_.greeting(connection.told) : std::string{};
        if (config_.program.program.empty()) return answer(std::move(connection), greeting);
        // A new socket always has room for a line.
        net::send_if_possible(connection.socket, greeting);
        begin(std::move(connection));
    } catch (const std::exception& error) {
        events_.trouble(fmt::format("{}: {}", peer, error.what()));
    }
}

// From now on the connection counts as served.
void Server::confirm(OpenConnection& connection) {
    connection.place.confirm();
    if (config_.admission.total || config_.exit_idle_time) wake_.signal();
}

void Server::answer(OpenConnection connection, const std::string& greeting) {
    confirm(connection);
    ConnectionEnd end;
    end.traffic = Traffic{0, net::send_if_possible(connection.socket, greeting)};
    end.traffic->received = net::discard_input(connection.socket);
    end.duration = Deadline::Clock::now() - connection.told.started;
    events_.ended(connection.told, end);
    // If we closed the socket with unread bytes, the client could get a reset instead of the line.
    if (end.traffic->received > 0) farewells_.add(std::move(connection.socket));
}

// Starts a process for the connection. If that fails, the connection waits until a process can
// start, even while the server is about to end.
void Server::begin(OpenConnection connection) {
    try {
        try_to_begin(connection);
    } catch (const SysError& error) {
        shortage(error.what());
        admission_.pause(Unserved::first_pause);
        unserved_.add(std::move(connection));
        wake_.signal();
    }
}

// If this throws SysError, no process was started and CONNECTION is unchanged.
void Server::try_to_begin(OpenConnection& connection) {
    ServedChildren::Start start{children_};
    const Started started = start_program(connection, config_.program);
    connection.told.pid = started.pid;
    confirm(connection);
    events_.started(connection.told);
    if (started.exec_error != 0)
        events_.trouble(fmt::format("cannot execute {}: {}", config_.program.program,
                                    error_text(started.exec_error)));
    ServedChild child{std::move(connection), 0};
    child.socket_inode = inode_of(child.connection.socket);
    const bool asks_socket =
        config_.count_traffic || config_.limits.idle || config_.limits.handshake;
    if (!asks_socket) child.connection.socket = Fd{};
    start.done(std::move(child));
}

void Server::retry_starts() {
    const auto found =
        unserved_.attempt([this](OpenConnection& connection) { try_to_begin(connection); });
    if (!found) return;
    shortage(found->what);
    admission_.pause(found->pause);
}

void Server::end_connections() {
    for (auto& [connection, status] : children_.reap()) {
        ConnectionEnd end;
        end.status = status;
        if (const auto activity = tcp_activity(connection)) end.traffic = activity->traffic;
        end.duration = Deadline::Clock::now() - connection.told.started;
        events_.ended(connection.told, end);
    }
}

// --- The waiting thread

Server::Outcome Server::run() {
    if (config_.heartbeat) heartbeat_at_ = Deadline::after(Duration::zero());
    loops_.go();
    for (;;) {
        children_.act_on_deadlines();
        end_connections();
        farewells_.look();
        take_arrivals();
        retry_starts();
        end_when_idle();
        end_stage();
        if (stage_ != Stage::serving && stage_ != Stage::restarting) refuse_waiting();
        if (is_done()) break;
        wait_for_events();
        handle_signals();
    }
    loops_.join();
    if (stage_ == Stage::restarting) return Outcome::restart;
    return children_.were_signalled() || was_cut_short_ ? Outcome::cut_short : Outcome::drained;
}

// Whether connections wait that no process serves yet.
bool Server::has_waiting() const {
    return (entrance_ && !entrance_->empty()) || !unserved_.empty();
}

// Whether run() may return. Before a restart, connections may be in any stage: our next image gets
// them.
bool Server::is_done() {
    // Loops that wait for a client do not notice that the total has been reached.
    if (admission_.is_total_served()) loops_.stop();
    if (!loops_.have_ended()) return false;
    if (stage_ == Stage::restarting) return true;
    if (has_waiting()) return false;
    // We accept nobody any more. Close the sockets, so that new clients notice at once.
    listeners_.clear();
    return children_.empty();
}

void Server::wait_for_events() {
    std::vector<pollfd> entries{{signals_.fd(), POLLIN, 0}, {wake_.fd(), POLLIN, 0}};
    Deadline deadline = std::min({stage_ends_, children_.next_deadline(), heartbeat_at_, idle_ends_,
                                  farewells_.next_deadline(), unserved_.next_attempt()});
    farewells_.add_polled(entries);
    if (entrance_) {
        entrance_->add_polled(entries);
        deadline = std::min(deadline, entrance_->next_deadline());
    }
    (void)poll_until(entries, deadline);
    if (entries[1].revents != 0) (void)wake_.clear();
    if (heartbeat_at_.passed()) {
        events_.alive();
        heartbeat_at_ = Deadline::after(*config_.heartbeat);
    }
}

void Server::handle_signals() {
    while (const auto signal = signals_.next()) {
        if (*signal == SIGUSR1) events_.table(children_.connections());
        if (*signal == SIGHUP && stage_ == Stage::serving) {
            stage_ = Stage::restarting;
            stop_accepting();
        }
        if (*signal != SIGTERM && *signal != SIGINT) continue;
        if (stage_ == Stage::serving || stage_ == Stage::restarting) {
            begin_drain();
        } else {
            stage_ = Stage::terminating;
            stage_ends_ = Deadline::after(Duration::zero());
        }
    }
}

void Server::stop_accepting() {
    admission_.close();
    loops_.stop();
}

void Server::begin_drain() {
    events_.draining();
    stage_ = Stage::draining;
    stage_ends_ = Deadline::after(config_.grace);
    stop_accepting();
}

// Every connection starts the idle time again, even one that ended before we looked.
void Server::end_when_idle() {
    if (!config_.exit_idle_time || stage_ != Stage::serving) return;
    const auto served = admission_.served();
    const bool is_busy = !children_.empty() || has_waiting();
    if (is_busy || served != std::exchange(served_before_idle_, served))
        idle_ends_ = Deadline::never();
    if (is_busy) return;
    if (idle_ends_.is_never()) idle_ends_ = Deadline::after(*config_.exit_idle_time);
    if (idle_ends_.passed()) begin_drain();
}

// At the end, refuses the clients whose PROXY header has not come. When the grace is over, refuses
// those that wait for a process too.
void Server::refuse_waiting() {
    std::vector<OpenConnection> refused;
    if (entrance_) refused = entrance_->take_all();
    if (stage_ != Stage::draining) {
        auto unserved = unserved_.take_all();
        was_cut_short_ = was_cut_short_ || !unserved.empty();
        std::ranges::move(unserved, std::back_inserter(refused));
    }
    for (const auto& connection : refused)
        events_.refused(connection.told, "the server ends");
}

// Ends the grace, or the time after it, when it is over.
void Server::end_stage() {
    if (!stage_ends_.passed()) return;
    const bool was_draining = stage_ == Stage::draining;
    children_.signal_all(was_draining ? SIGTERM : SIGKILL);
    stage_ = was_draining ? Stage::terminating : Stage::killing;
    stage_ends_ = was_draining ? Deadline::after(time_from_term_to_kill) : Deadline::never();
}

// --- Handing over

Inheritance Server::lend_waiting() {
    Inheritance waiting;
    if (entrance_) waiting.guests = entrance_->take_all();
    waiting.unserved = unserved_.take_all();
    waiting.served = admission_.served();
    return waiting;
}

void Server::put_back(Inheritance waiting) {
    for (auto& guest : waiting.guests)
        if (entrance_) entrance_->add(std::move(guest));
    unserved_.put_back(std::move(waiting.unserved));
}

} // namespace ipcbox::server
