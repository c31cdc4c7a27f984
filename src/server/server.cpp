#include "server/server.h"

#include "core/error.h"
#include "core/poll.h"
#include "net/network.h"
#include "net/socket_io.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <fmt/core.h>
#include <limits>

namespace ipcbox::server {

namespace {

// How long a shortage (of descriptors, of processes) is waited out before the next try.
constexpr auto first_pause = std::chrono::milliseconds{10};
constexpr auto longest_pause = std::chrono::seconds{1};

} // namespace

Server::Server(ServerConfig config, std::vector<net::Listener>& listeners, SignalFd& signals,
               ServerEvents& events)
    : config_(std::move(config)), listeners_(listeners), signals_(signals), events_(events),
      gate_(config_.gate),
      children_(
          config_.limits,
          [this](const ServedChild& child, WaitStatus status) { child_ended(child, status); },
          [this](const std::string& what) { events_.trouble(what); }) {
    if (!config_.access_file.empty()) access_.emplace(config_.access_file);
    if (config_.look_up_names)
        names_.emplace(
            [this](const std::string& ip, const std::string& name) { events_.named(ip, name); });
    if (config_.proxy_patience) entrance_.emplace(*config_.proxy_patience);
}

Server::~Server() {
    gate_.close();
    stop_loops_.signal();
}

void Server::resume(ServedChild child) {
    gate_.add_taken();
    if (!child.network.empty())
        (void)gate_.enter_network(child.network, std::numeric_limits<unsigned>::max());
    ServedChildren::Start{children_}.done(std::move(child));
}

// --- The accept loops

void Server::start_loops() {
    gate_.open();
    stop_loops_.clear();
    stage_ = Stage::serving;
    running_loops_ = config_.loops;
    for (int loop = 0; loop < config_.loops; ++loop)
        loops_.emplace_back([this] { accept_loop(); });
}

void Server::accept_loop() {
    try {
        net::Acceptor acceptor{listeners_, stop_loops_};
        while (accept_one(acceptor))
            ;
    } catch (const std::exception& error) {
        events_.trouble(error.what());
    }
    --running_loops_;
    wake_.signal();
}

// False when there is nothing to accept any more.
bool Server::accept_one(net::Acceptor& acceptor) {
    const bool waits_for_place = !config_.over;
    bool has_place = waits_for_place && gate_.enter();
    if (waits_for_place && !has_place) return false;
    try {
        if (auto accepted = acceptor.next()) {
            if (!waits_for_place) {
                const auto entry = gate_.try_enter();
                if (entry == Gate::Entry::closed) return false;
                if (entry == Gate::Entry::full) return turn_away(*accepted);
                has_place = true;
            }
            take(std::move(*accepted));
            return true;
        }
        if (has_place) gate_.leave_unused();
        return false;
    } catch (const SysError& error) {
        if (has_place) gate_.leave_unused();
        tell_shortage(error.what());
        gate_.pause(first_pause);
        return true;
    }
}

// Always true: there are others.
bool Server::turn_away(const net::Accepted& accepted) {
    net::send_if_possible(accepted.socket, *config_.over);
    events_.refused(describe(accepted), "no place is free");
    return true;
}

void Server::take(net::Accepted accepted) {
    auto connection = describe(accepted);
    if (entrance_)
        entrance_->add(std::move(accepted.socket), std::move(connection));
    else
        try_to_welcome(std::move(accepted.socket), std::move(connection));
}

// Nothing is thrown: the connection has its place, and gives it back at its end.
void Server::try_to_welcome(Fd socket, Connection connection) {
    const auto peer = connection.peer_text();
    try {
        welcome(std::move(socket), std::move(connection));
    } catch (const std::exception& error) {
        events_.trouble(fmt::format("{}: {}", peer, error.what()));
        gate_.leave();
    }
}

void Server::take_arrivals() {
    if (!entrance_) return;
    for (auto& [socket, connection, problem] : entrance_->arrivals())
        if (problem.empty())
            try_to_welcome(std::move(socket), std::move(connection));
        else
            refuse(connection, problem);
}

Connection Server::describe(const net::Accepted& accepted) const {
    Connection connection;
    connection.started = Deadline::Clock::now();
    connection.peer = accepted.peer;
    connection.local = listeners_[accepted.listener].address;
    // Which of our addresses it was, when we listen on all of them.
    if (connection.local.is_wildcard())
        connection.local = net::local_address(accepted.socket.get());
    return connection;
}

void Server::welcome(Fd socket, Connection connection) {
    if (connection.local.is_unix()) {
        const bool asks = std::ranges::any_of(config_.peer_rules, &net::PeerRule::asks_for_program);
        const auto peer = net::PeerProcess::of(socket.get(), asks ? net::PeerProcess::Handle::take
                                                                  : net::PeerProcess::Handle::none);
        connection.credentials = static_cast<const net::PeerCredentials&>(peer);
        if (!is_allowed(peer)) return refuse(connection, "nobody that --allow lets in");
    }
    if (names_) connection.peer_name = names_->name_of(connection.peer);
    const auto admission = admit(connection);
    if (!admission) return;
    events_.connected(connection);
    const auto greeting = config_.greeting ? config_.greeting(connection) : std::string{};
    if (config_.program.empty()) {
        answer(socket, connection, greeting);
        if (!admission->network.empty()) gate_.leave_network(admission->network);
        gate_.leave();
    } else {
        // A socket that is new takes a line at once.
        net::send_if_possible(socket, greeting);
        start_child(std::move(socket), std::move(connection), *admission);
    }
}

bool Server::is_allowed(const net::PeerProcess& peer) const {
    const auto& rules = config_.peer_rules;
    return rules.empty() || std::ranges::any_of(rules, [&peer](const net::PeerRule& rule) {
               return rule.matches(peer);
           });
}

std::optional<Server::Admission> Server::admit(const Connection& connection) {
    Admission admission;
    if (connection.peer.is_unix()) return admission;
    const auto rule = find_rule(connection);
    if (!rule) return std::nullopt;
    for (const auto& [name, value] : rule->variables)
        admission.variables.push_back(fmt::format("{}={}", name, value));
    const auto most = rule->limit ? rule->limit : config_.per_network;
    if (!most) return admission;
    admission.network =
        net::network_key(connection.peer, config_.network_bits_4, config_.network_bits_6);
    if (gate_.enter_network(admission.network, *most)) return admission;
    refuse(connection, fmt::format("it has {} connections already", *most));
    return std::nullopt;
}

std::optional<AccessRule> Server::find_rule(const Connection& connection) {
    if (!access_) return AccessRule{};
    const std::lock_guard lock{access_mutex_};
    const auto* const rule = access_->current().match(
        // Only a rule for everybody is for a client that nobody knows.
        connection.is_peer_the_client ? connection.peer : net::Address{});
    if (const auto error = access_->take_error())
        events_.trouble(*error + "; the old rules stay in force");
    if (rule != nullptr && rule->allow) return *rule;
    refuse(connection, rule != nullptr ? fmt::format("line {} of the rules denies it", rule->line)
                                       : std::string{"no line of the rules is for it"});
    return std::nullopt;
}

void Server::refuse(const Connection& connection, const std::string& why) {
    events_.refused(connection, why);
    gate_.leave_unused();
}

void Server::answer(const Fd& socket, const Connection& connection, const std::string& greeting) {
    ConnectionEnd end;
    end.traffic = Traffic{0, net::send_if_possible(socket, greeting)};
    end.traffic->received = net::discard_input(socket);
    end.duration = Deadline::Clock::now() - connection.started;
    events_.ended(connection, end);
}

void Server::start_child(Fd socket, Connection connection, const Admission& admission) {
    auto environment = config_.environment;
    environment.set_all(ucspi_environment(connection));
    environment.set_all(admission.variables);
    SpawnPlan plan;
    plan.input = plan.output = socket.get();
    plan.group = ProcessGroup::own;
    plan.environment = &environment.entries();
    plan.limits = config_.resource_limits;
    plan.nice = config_.nice;
    plan.no_new_privileges = config_.no_new_privileges;

    ServedChildren::Start start{children_};
    const Started started = start_patiently(socket, connection, plan);
    connection.pid = started.pid;
    events_.started(connection);
    if (started.exec_error != 0)
        events_.trouble(
            fmt::format("cannot execute {}: {}", config_.program, error_text(started.exec_error)));
    const bool asks_socket =
        config_.count_traffic || config_.limits.idle || config_.limits.handshake;
    if (!asks_socket) socket = Fd{};
    start.done({std::move(connection), admission.network, std::move(socket)});
}

// A connection that was accepted is kept until there can be a process for it, and at least as long
// as our own end takes.
Started Server::start_patiently(const Fd& socket, const Connection& connection,
                                const SpawnPlan& plan) {
    for (Duration pause = first_pause;; pause = std::min<Duration>(2 * pause, longest_pause)) {
        try {
            if (config_.session)
                return start_session(socket, connection, *config_.session, config_.program,
                                     config_.arguments, plan);
            return start_process(config_.program, config_.arguments, plan);
        } catch (const SysError& error) {
            if (is_grace_over_) throw;
            tell_shortage(error.what());
            gate_.pause(pause);
        }
    }
}

void Server::tell_shortage(const std::string& what) {
    if (shortage_.is_due()) events_.trouble(what + "; trying again");
}

// --- The waiting thread

void Server::child_ended(const ServedChild& child, WaitStatus status) {
    ConnectionEnd end;
    end.status = status;
    if (const auto activity = tcp_activity(child.socket)) end.traffic = activity->traffic;
    end.duration = Deadline::Clock::now() - child.connection.started;
    events_.ended(child.connection, end);
    if (!child.network.empty()) gate_.leave_network(child.network);
    gate_.leave();
}

Server::Outcome Server::run() {
    start_loops();
    for (;;) {
        children_.reap();
        children_.act_on_deadlines();
        take_arrivals();
        end_stage();
        if (is_idle()) break;
        wait_for_events();
        handle_signals();
    }
    loops_.clear();
    if (stage_ == Stage::restarting) return Outcome::restart;
    return children_.were_signalled() ? Outcome::cut_short : Outcome::drained;
}

// Whether run() is done. A restart leaves the children to our next image.
bool Server::is_idle() {
    if (running_loops_ > 0 || (entrance_ && !entrance_->empty())) return false;
    if (stage_ == Stage::restarting) return true;
    // Nobody answers any more: who comes now is to know at once.
    listeners_.clear();
    return children_.empty();
}

void Server::wait_for_events() {
    std::vector<pollfd> entries{
        {signals_.fd(), POLLIN, 0}, {wake_.fd(), POLLIN, 0}, {children_.changed().fd(), POLLIN, 0}};
    Deadline deadline = std::min(stage_ends_, children_.next_deadline());
    if (entrance_) {
        entries.push_back({entrance_->changed().fd(), POLLIN, 0});
        entrance_->add_polled(entries);
        deadline = std::min(deadline, entrance_->next_deadline());
    }
    (void)poll_until(entries, deadline);
    const auto clear = [&entries](const Event& event) {
        const auto polled = std::ranges::find(entries, event.fd(), &pollfd::fd);
        if (polled != entries.end() && polled->revents != 0) (void)event.clear();
    };
    clear(wake_);
    clear(children_.changed());
    if (entrance_) clear(entrance_->changed());
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
            stage_ = Stage::draining;
            stage_ends_ = Deadline::after(config_.grace);
            stop_accepting();
        } else {
            stage_ = Stage::terminating;
            stage_ends_ = Deadline::after(Duration::zero());
        }
    }
}

void Server::stop_accepting() {
    gate_.close();
    stop_loops_.signal();
}

// The grace is over, or the time after it.
void Server::end_stage() {
    if (!stage_ends_.passed()) return;
    is_grace_over_ = true;
    const bool was_draining = stage_ == Stage::draining;
    children_.signal_all(was_draining ? SIGTERM : SIGKILL);
    stage_ = was_draining ? Stage::terminating : Stage::killing;
    stage_ends_ = was_draining ? Deadline::after(time_from_term_to_kill) : Deadline::never();
}

} // namespace ipcbox::server
