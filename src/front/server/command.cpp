#include "front/server/command.h"

#include "cli/output.h"
#include "core/date.h"
#include "core/io.h"
#include "core/number.h"
#include "core/privileges.h"
#include "core/program.h"
#include "front/announce.h"
#include "front/server/option_values.h"
#include "front/server/report.h"
#include "server/handover.h"
#include "server/readiness.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fmt/core.h>
#include <sys/resource.h>
#include <thread>
#include <unistd.h>

namespace ipcbox::front {

namespace {

std::string greeting(const server::Connection& connection) {
    const auto now = date_text(std::time(nullptr));
    return connection.peer.is_unix()
               ? fmt::format("Hello there, it's now {}\n", now)
               : fmt::format("Hello there, {}, it's now {}\n", connection.peer_text(), now);
}

// Finds the program now. A wrong name is an error at the start then, and not for each client.
void find_service(ServerOptions& asked, const ServerKind& kind) {
    auto& config = asked.config.program;
    if (kind.own != nullptr) return; // the service has prepared itself
    if (!asked.command.empty()) {
        config.program = find_program(asked.command.front());
        config.arguments = asked.command;
        if (asked.tls) serve_over_tls(asked.tls, asked.config.limits.handshake, config);
        return;
    }
    asked.config.greeting = greeting;
    if (kind.service == ServerKind::Service::greeting) return;
    // Debian installs fortune outside the usual PATH of a server.
    for (const std::string name : {"fortune", "/usr/games/fortune"}) {
        try {
            config.program = find_program(name);
            config.arguments = {"fortune"};
            return;
        } catch (const Error&) { // NOLINT(bugprone-empty-catch): go without it
        }
    }
}

// While one loop waits for an exec, another one can accept. Two for each CPU were the fastest.
// Without a program there is no such wait, and a single loop was the fastest.
int default_loops(const server::ServerConfig& config) {
    if (config.program.program.empty()) return 1;
    const int cpus = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
    return std::min({config.admission.places, 2 * cpus, max_server_loops});
}

// The variables that every program gets for every connection. They exclude those that were only for
// us, and those that describe the connection of another server.
Environment base_environment(bool keep) {
    Environment environment;
    if (!keep) {
        environment.set(fmt::format("PATH={}", program_path));
        return environment;
    }
    environment = Environment::ours();
    environment.remove_if([](std::string_view name) {
        return name == "NOTIFY_SOCKET" || name == "WATCHDOG_USEC" || name == "WATCHDOG_PID" ||
               server::is_ucspi_name(name);
    });
    return environment;
}

std::vector<net::Listener> listen(const ServerOptions& asked) {
    auto listeners = net::inherited_listeners(asked.listens, asked.descriptor_name);
    if (asked.descriptor_name && listeners.empty())
        throw Error(fmt::format("cannot find an inherited socket called {} (LISTEN_FDNAMES)",
                                *asked.descriptor_name));
    if (listeners.empty()) listeners = net::listener_on_standard_input(asked.listens);
    if (!listeners.empty()) return listeners;
    for (const auto& address : asked.addresses) {
        if (asked.listens == net::ListenerKind::unix_domain) {
            listeners.push_back(net::listen_unix(address, {asked.access}));
            continue;
        }
        for (auto& listener : net::listen_tcp(net::HostPort::parse(address)))
            listeners.push_back(std::move(listener));
    }
    return listeners;
}

std::vector<std::string> texts_of(const std::vector<net::Listener>& listeners) {
    std::vector<std::string> texts;
    for (const auto& listener : listeners)
        texts.push_back(listener.text);
    return texts;
}

// Checks for everything that would fail in the same way for each connection, before we announce
// that we listen. Runs as the user that the server has become.
void check_before_start(const ServerOptions& asked) {
    if (!asked.record_directory.empty()) server::check_record_directory(asked.record_directory);
    for (const auto& limit : asked.config.program.resource_limits)
        if (const int error = limit_error(limit); error != 0)
            throw Error(
                fmt::format("cannot set --rlimit {}={}: {}", resource_name(limit.resource),
                            limit.max == RLIM_INFINITY ? "unlimited" : fmt::format("{}", limit.max),
                            error_text(error)));
    if (const auto nice = asked.config.program.nice)
        if (const int error = nice_error(*nice); error != 0)
            throw Error(fmt::format("cannot set --nice {}: {}", *nice, error_text(error)));
}

// Throws if our next image could not serve. Once it has taken our place, nobody could go on.
void check_restart(const ServerOptions& asked, OwnService* own) {
    if (own != nullptr) own->check_restart();
    if (!asked.command.empty()) (void)find_program(asked.command.front());
    if (!asked.config.access.rules_file.empty())
        (void)server::AccessFile{asked.config.access.rules_file};
    check_before_start(asked);
    if (asked.tls) check_tls_files(asked.tls);
}

void report_tls_problem(const ServerTls& tls, ServerReport& report) {
    try {
        check_tls_files(tls);
    } catch (const Error& error) {
        report.trouble(error.what());
    }
}

// Prints the line of the rules that decides. The status is 1 if it denies the client.
int check_rules(const ServerOptions& asked) {
    server::AccessFile file{asked.config.access.rules_file};
    const auto* const rule = file.current().match(*asked.check_rules);
    const bool allowed = rule != nullptr && rule->allow;
    if (rule == nullptr)
        cli::print_line("{}: no line is for {}: denied", asked.config.access.rules_file,
                        asked.check_rules->host());
    else
        cli::print_line("{}:{}: {} is {}", asked.config.access.rules_file, rule->line,
                        asked.check_rules->host(), allowed ? "allowed" : "denied");
    return allowed ? exit_status::done : exit_status::failed;
}

// How often to tell the service manager that we are alive: twice in the time after which it would
// end us (sd_watchdog_enabled(3)).
std::optional<Duration> heartbeat() {
    const char* const microseconds = std::getenv("WATCHDOG_USEC");
    const char* const process = std::getenv("WATCHDOG_PID");
    const auto period =
        whole_number<std::uint64_t>(microseconds != nullptr ? microseconds : "").value_or(0);
    const bool is_for_us = process == nullptr || whole_number<pid_t>(process) == ::getpid();
    if (!is_for_us || period < 2) return std::nullopt;
    return std::chrono::microseconds{period / 2};
}

// Serves, and returns at the end. Does not return if our next image has taken over.
server::Server::Outcome serve(server::Server& server, ServerReport& report,
                              const server::OwnCommand& self,
                              const std::vector<net::Listener>& listeners,
                              const ServerOptions& asked, OwnService* own) {
    for (;;) {
        const auto outcome = server.run();
        if (outcome != server::Server::Outcome::restart) return outcome;
        report.trouble("restarting");
        server::notify_reloading();
        report.flush();
        const auto unwritten = report.take_unwritten();
        try {
            check_restart(asked, own);
            server::Handover::hand_over(self, listeners, server, unwritten);
        } catch (const Error& error) {
            report.write_again(unwritten);
            report.trouble(fmt::format("{}; going on as before", error.what()));
            server.start();
            server::notify_service_manager("READY=1\n");
        }
    }
}

std::vector<std::string> called_as(const Invocation& invocation) {
    std::vector<std::string> words{std::string{invocation.name}};
    words.insert(words.end(), invocation.arguments.begin(), invocation.arguments.end());
    return words;
}

int run_relayed_connection(const Invocation& invocation) {
    // Report it like a line of the server's log, which goes to the same standard error.
    return server::run_relay(invocation.arguments, [&invocation](const std::string& text) {
        cli::diagnose_as(fmt::format("{} {}", invocation.name, ::getppid()), text);
    });
}

int run(const Invocation& invocation, const ServerKind& kind, const server::OwnCommand& self,
        server::Handover& left) {
    left.take_over();
    const bool has_former = left.is_unfinished();
    ServerOptions asked = parse_server_options(invocation, kind);
    if (asked.check_rules) return check_rules(asked);
    if (kind.own != nullptr && kind.own->prepare(asked)) return exit_status::done;
    find_service(asked, kind);
    asked.config.loops = asked.loops.value_or(default_loops(asked.config));
    asked.config.heartbeat = heartbeat();
    // Programs expect the default action, but our parent may have ignored SIGPIPE (Python does).
    stop_ignoring(SIGPIPE);
    // If the log cannot be written, the server must go on.
    const HarmlessWriteSignals harmless;
    keep_ended_children();
    SignalFd signals{SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGCHLD};
    auto& listeners = left.listeners;
    if (!has_former) listeners = listen(asked);
    // By now, our environment has nothing left that was only for us.
    asked.config.program.environment = base_environment(asked.keep_environment);
    // Become the user before there is a thread.
    if (asked.user && ::geteuid() != asked.user->uid)
        become_user(asked.user->uid, asked.user->gid, asked.user->name);
    check_before_start(asked);
    // Each connection reads the files again. If we have a former image, a wrong new certificate
    // must not end its connections, so do not check then.
    if (asked.tls && !has_former) check_tls_files(asked.tls);
    ServerReport report{asked.verbosity,
                        asked.json ? ServerReport::Json::yes : ServerReport::Json::no,
                        std::move(left.unwritten)};
    if (asked.tls && has_former) report_tls_problem(asked.tls, report);
    // This reads the rules and starts the loops before we announce that we listen.
    server::Server server{asked.config, listeners, signals, report, left.connections.served};
    server.start();
    server.resume(std::move(left.connections));
    left.finish();
    if (has_former)
        server::notify_service_manager("READY=1\n");
    else
        announce(texts_of(listeners), asked.notify_fd, asked.verbosity);
    report.server_started(listeners);
    const auto outcome = serve(server, report, self, listeners, asked, kind.own);
    server::notify_service_manager("STOPPING=1\n");
    report.flush();
    if (report.failed())
        report.trouble("cannot print all of --json: its reader is too slow or gone");
    report.flush();
    const bool complete = outcome == server::Server::Outcome::drained && !report.failed();
    return complete ? exit_status::done : exit_status::failed;
}

} // namespace

int run_server(const Invocation& invocation, const ServerKind& kind) {
    if (server::is_relay(invocation.arguments)) return run_relayed_connection(invocation);
    const auto self = server::own_command(called_as(invocation));
    server::Handover left; // outlives all that uses it
    try {
        return run(invocation, kind, self, left);
    } catch (const Error& error) {
        left.start_again(
            self, [&error] { cli::diagnose(fmt::format("{}; trying again", error.what())); });
        throw;
    }
}

} // namespace ipcbox::front
