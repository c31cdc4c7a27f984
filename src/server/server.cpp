#include "server/server.h"

#include "core/error.h"
#include "core/poll.h"

#include <algorithm>
#include <csignal>
#include <fmt/core.h>

namespace ipcbox::server {

Server::Server(ServerConfig config, std::vector<net::Listener>& listeners, SignalFd& signals,
               ServerEvents& events, std::uint64_t served)
    : config_(std::move(config)), listeners_(listeners), signals_(signals), events_(events),
      admission_(config_.admission, served),
      children_(
          config_.limits, [this](const std::string& what) { events_.trouble(what); }, wake_),
      reception_(config_, events, admission_, children_, wake_),
      lifetime_(config_.grace, config_.exit_idle_time),
      loops_(listeners, admission_, *this, wake_, config_.loops,
             config_.over ? AcceptLoops::WithoutPlace::turn_away
                          : AcceptLoops::WithoutPlace::wait) {
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
    lifetime_.serve();
    admission_.open();
    loops_.start();
}

// --- The way of a connection

void Server::accepted(net::Accepted accepted, Place place) {
    OpenConnection connection{describe(accepted), std::move(accepted.socket), std::move(place), {}};
    if (entrance_)
        entrance_->add(std::move(connection));
    else
        reception_.welcome(std::move(connection));
}

void Server::no_place(net::Accepted accepted) {
    reception_.turn_away(describe(accepted), std::move(accepted.socket));
}

void Server::shortage(const std::string& what) {
    reception_.shortage(what);
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
    for (auto& [connection, problem, is_ours] : entrance_->arrivals())
        if (problem.empty())
            reception_.welcome(std::move(connection));
        else if (is_ours)
            events_.trouble(fmt::format("{}: {}", connection.told.peer_text(), problem));
        else
            events_.refused(connection.told, problem);
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
        take_arrivals();
        reception_.work();
        obey(lifetime_.look(!children_.empty() || has_waiting(), admission_.served()));
        if (const auto signal = lifetime_.next_signal()) children_.signal_all(*signal);
        if (lifetime_.is_ending()) refuse_waiting();
        if (is_done()) break;
        wait_for_events();
        handle_signals();
    }
    loops_.join();
    if (lifetime_.is_restarting()) return Outcome::restart;
    return children_.were_signalled() || was_cut_short_ ? Outcome::cut_short : Outcome::drained;
}

// Whether connections wait that no process serves yet.
bool Server::has_waiting() const {
    return (entrance_ && !entrance_->empty()) || reception_.has_waiting();
}

// Whether run() may return. Before a restart, connections may be in any stage: our next image gets
// them.
bool Server::is_done() {
    // Loops that wait for a client do not notice that the total has been reached.
    if (admission_.is_total_served()) loops_.stop();
    if (!loops_.have_ended()) return false;
    if (lifetime_.is_restarting()) return true;
    if (has_waiting()) return false;
    // We accept nobody any more. Close the sockets, so that new clients notice at once.
    listeners_.clear();
    return children_.empty();
}

void Server::wait_for_events() {
    std::vector<pollfd> entries{{signals_.fd(), POLLIN, 0}, {wake_.fd(), POLLIN, 0}};
    Deadline deadline = std::min({lifetime_.next_deadline(), children_.next_deadline(),
                                  heartbeat_at_, reception_.next_deadline()});
    reception_.add_polled(entries);
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
    while (const auto event = signals_.next_event()) {
        if (event->number == SIGUSR1) events_.table(children_.connections());
        // A server that its user left with the terminal must not keep the port.
        obey(lifetime_.take(hang_up_.is_told_by(*event) ? SIGTERM : event->number));
    }
}

void Server::obey(Lifetime::Order order) {
    if (order == Lifetime::Order::none) return;
    if (order == Lifetime::Order::drain) events_.draining();
    admission_.close();
    loops_.stop();
}

// At the end, refuses the clients whose PROXY header has not come. When the grace is over, refuses
// those that wait for a process too.
void Server::refuse_waiting() {
    std::vector<OpenConnection> refused;
    if (entrance_) refused = entrance_->take_all();
    if (lifetime_.is_cut_short()) {
        auto unserved = reception_.take_waiting();
        was_cut_short_ = was_cut_short_ || !unserved.empty();
        std::ranges::move(unserved, std::back_inserter(refused));
    }
    for (const auto& connection : refused)
        events_.refused(connection.told, "the server ends");
}

// --- Handing over

Inheritance Server::lend_waiting() {
    Inheritance waiting;
    if (entrance_) waiting.guests = entrance_->take_all();
    waiting.unserved = reception_.take_waiting();
    waiting.served = admission_.served();
    return waiting;
}

void Server::put_back(Inheritance waiting) {
    for (auto& guest : waiting.guests)
        if (entrance_) entrance_->add(std::move(guest));
    reception_.put_back(std::move(waiting.unserved));
}

} // namespace ipcbox::server
