#include "server/reception.h"

#include "core/error.h"
#include "core/syscall.h"
#include "net/socket_io.h"

#include <algorithm>
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

Reception::Reception(const ServerConfig& config, ServerEvents& events, Admission& admission,
                     ServedChildren& children, const Event& changed)
    : config_(config), events_(events), admission_(admission), children_(children),
      changed_(changed),
      access_(config.access, [&events](const std::string& what) { events.trouble(what); }),
      farewells_(changed) {
    if (config.look_up_names)
        names_.emplace(
            [&events](const std::string& ip, const std::string& name) { events.named(ip, name); });
}

void Reception::turn_away(const Connection& told, Fd socket) {
    net::send_if_possible(socket, *config_.over);
    events_.refused(told, "no place is free");
    farewells_.add(std::move(socket));
}

void Reception::shortage(const std::string& what) {
    if (shortage_.is_due()) events_.trouble(what + "; trying again");
}

void Reception::welcome(OpenConnection connection) {
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
void Reception::confirm(OpenConnection& connection) {
    connection.place.confirm();
    if (config_.admission.total || config_.exit_idle_time) changed_.signal();
}

void Reception::answer(OpenConnection connection, const std::string& greeting) {
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
void Reception::begin(OpenConnection connection) {
    try {
        try_to_begin(connection);
    } catch (const SysError& error) {
        shortage(error.what());
        admission_.pause(Unserved::first_pause);
        unserved_.add(std::move(connection));
        changed_.signal();
    }
}

// If this throws SysError, no process was started and CONNECTION is unchanged.
void Reception::try_to_begin(OpenConnection& connection) {
    ServedChildren::Start start{children_};
    const Started started = start_program(connection, config_.program);
    connection.told.pid = started.pid;
    confirm(connection);
    events_.started(connection.told);
    if (started.exec_error != 0)
        events_.trouble(fmt::format("cannot {} {}: {}", started.failed, config_.program.program,
                                    error_text(started.exec_error)));
    ServedChild child{std::move(connection), 0};
    child.socket_inode = inode_of(child.connection.socket);
    const bool asks_socket =
        config_.count_traffic || config_.limits.idle || config_.limits.handshake;
    if (!asks_socket) child.connection.socket = Fd{};
    start.done(std::move(child));
}

Deadline Reception::next_deadline() {
    return std::min(farewells_.next_deadline(), unserved_.next_attempt());
}

void Reception::work() {
    farewells_.look();
    const auto found =
        unserved_.attempt([this](OpenConnection& connection) { try_to_begin(connection); });
    if (!found) return;
    shortage(found->what);
    admission_.pause(found->pause);
}

} // namespace ipcbox::server
