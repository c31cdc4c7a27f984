#include "front/server/report.h"

#include "cli/json.h"
#include "cli/output.h"
#include "core/date.h"
#include "core/user.h"
#include "server/readiness.h"

#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::front {

namespace {

std::string date() {
    return date_text(std::time(nullptr));
}

// The text that follows "connection": either "from NAME [IP] at port N", or the path and the
// process that connected.
std::string origin(const server::Connection& connection) {
    if (!connection.peer.is_unix())
        return fmt::format("from {} [{}] at port {}", connection.peer_text(),
                           connection.peer.host(), connection.peer.port());
    const auto path = connection.local.host();
    if (!connection.credentials) return fmt::format("on {}", path);
    return fmt::format("on {} from process {} of {}", path, connection.credentials->pid,
                       user_name(connection.credentials->uid));
}

} // namespace

ServerReport::ServerReport(const cli::Verbosity& verbosity, Json json, std::string unwritten)
    : verbosity_(verbosity), log_(STDERR_FILENO) {
    if (json == Json::yes)
        json_.emplace(STDOUT_FILENO, cli::LineQueue::Kind::json, std::move(unwritten));
}

void ServerReport::log(const std::string& text) {
    log_.add(fmt::format("{} {}: {}\n", cli::program_name(), ::getpid(), cli::visible_line(text)));
}

void ServerReport::server_started(const std::vector<net::Listener>& listeners) {
    if (verbosity_.quiet) return;
    for (const auto& listener : listeners) {
        const auto& address = listener.address;
        auto where = address.is_unix() ? address.host() : fmt::format("port {}", address.port());
        if (!address.is_unix() && !address.is_wildcard()) where += " of " + address.host();
        log(fmt::format("server started on {} at {}", where, date()));
    }
}

void ServerReport::connected(const server::Connection& connection) {
    if (!verbosity_.quiet) log(fmt::format("connection {} at {}", origin(connection), date()));
}

void ServerReport::started(const server::Connection& connection) {
    if (!verbosity_.quiet) log(fmt::format("begat {}", connection.pid));
}

void ServerReport::ended(const server::Connection& connection, const server::ConnectionEnd& end) {
    if (json_) print_json(connection, end);
    if (verbosity_.quiet || !end.status) return;
    auto text = fmt::format("reaped {}", connection.pid);
    if (end.status->signal() != 0)
        text += ' ' + end.status->text();
    else if (!end.status->succeeded())
        text += " with " + end.status->text();
    if (verbosity_.verbose) text += fmt::format(" after {:.3f} s", in_seconds(end.duration));
    log(text);
}

void ServerReport::refused(const server::Connection& connection, const std::string& why) {
    if (!verbosity_.quiet) log(fmt::format("refused {}: {}", origin(connection), why));
}

void ServerReport::trouble(const std::string& what) {
    log(what);
}

void ServerReport::named(const std::string& ip, const std::string& name) {
    if (!verbosity_.quiet) log(fmt::format("{} is {}", ip, name));
}

void ServerReport::table(const std::vector<server::Connection>& connections) {
    log(fmt::format("{} connections", connections.size()));
    const auto now = Deadline::Clock::now();
    for (const auto& connection : connections)
        log(fmt::format("{} serves the connection {} since {:.1f} s", connection.pid,
                        origin(connection), in_seconds(now - connection.started)));
}

void ServerReport::draining() {
    server::notify_service_manager("STOPPING=1\n");
}

void ServerReport::alive() {
    server::notify_service_manager("WATCHDOG=1\n");
}

std::string ServerReport::take_unwritten() {
    return json_ ? json_->take_unwritten() : std::string{};
}

void ServerReport::write_again(std::string unwritten) {
    if (json_) json_->write_again(std::move(unwritten));
}

void ServerReport::print_json(const server::Connection& connection,
                              const server::ConnectionEnd& end) {
    cli::JsonLine line;
    const auto set_or_null = [&line](std::string_view member, auto value, bool known) {
        known ? line.set(member, value) : line.set_null(member);
    };
    line.set("peer", connection.peer.text()).set("local", connection.local.text());
    set_or_null("name", std::string_view{connection.peer_name}, !connection.peer_name.empty());
    if (const auto& peer = connection.credentials)
        line.set("peer_pid", peer->pid).set("peer_uid", peer->uid).set("peer_gid", peer->gid);
    set_or_null("pid", connection.pid, connection.pid != 0);
    const auto traffic = end.traffic.value_or(server::Traffic{});
    set_or_null("bytes_in", traffic.received, end.traffic.has_value());
    set_or_null("bytes_out", traffic.sent, end.traffic.has_value());
    line.set("seconds", in_seconds(end.duration));
    const bool exited = end.status && end.status->signal() == 0;
    const bool killed = end.status && end.status->signal() != 0;
    set_or_null("exit", exited ? end.status->as_exit_status() : 0, exited);
    const auto signal = killed ? signal_name(end.status->signal()) : std::string{};
    set_or_null("signal", std::string_view{signal}, killed);
    json_->add(line.text());
}

void ServerReport::flush() {
    log_.flush();
    if (json_) json_->flush();
}

bool ServerReport::failed() {
    return json_ && json_->failed();
}

} // namespace ipcbox::front
