#include "front/server/options.h"

#include "front/announce.h"
#include "front/common_options.h"
#include "front/server/option_values.h"

#include <fmt/core.h>
#include <limits>

namespace ipcbox::front {

namespace {

constexpr auto proxy_patience = std::chrono::seconds{10};

// Options that are converted before they go into the configuration.
struct Written {
    std::optional<PerNetwork> per_network;
    SocketOwner socket_owner;
    bool once = false;
    bool proxy = false;
};

bool takes_tcp(const ServerKind& kind) {
    return kind.own != nullptr || kind.listens == net::ListenerKind::tcp;
}
bool takes_unix(const ServerKind& kind) {
    return kind.own != nullptr || kind.listens == net::ListenerKind::unix_domain;
}

// Only our own services can listen on either kind of address.
bool is_unix_address(std::string_view text) {
    return text.starts_with('@') || text.find('/') != std::string_view::npos;
}

void declare_limits(cli::Options& options, ServerOptions& asked, Written& written,
                    const ServerKind& kind) {
    auto& config = asked.config;
    options.section("Limits");
    options.value("-c,--connections MAX", config.admission.places,
                  cli::number_between(1, max_connections),
                  fmt::format("serve at most MAX at a time (default {})", kind.connections));
    options.value("--over MESSAGE", config.over, cli::parse_text,
                  "if the limit of -c is reached, send MESSAGE and disconnect");
    if (takes_tcp(kind))
        options.value("-C,--per-address MAX[/BITS[/BITS6]]", written.per_network, parse_per_network,
                      "serve at most MAX clients of one network at a time (default /32/64)");
    options.value("--rate N/DURATION", config.admission.rate, parse_rate,
                  "accept at most N clients in each DURATION, such as 10/1s");
    options.flag("-1,--once", written.once, "exit after one connection");
    options.value("--count N", config.admission.total,
                  cli::number_between(1, std::numeric_limits<int>::max()),
                  "exit after N connections");
    options.section("Time");
    options.value("--max-time DURATION", config.limits.longest, cli::parse_positive_duration,
                  "end a connection after DURATION");
    options.value("--idle-timeout DURATION", config.limits.idle, cli::parse_positive_duration,
                  kind.own != nullptr
                      ? "end a connection if the client sends no line for DURATION (default 10m)"
                      : "end a connection if no byte passes for DURATION");
    if (takes_tcp(kind))
        options.value(
            "--handshake-timeout DURATION", config.limits.handshake, cli::parse_positive_duration,
            "end a connection if the client sends nothing for this long after connecting");
    options.value("--grace DURATION", config.grace, cli::parse_duration,
                  "after TERM, give connections this long to finish (default 30s)");
    options.value("--exit-idle-time DURATION", config.exit_idle_time, cli::parse_positive_duration,
                  "exit after DURATION without a connection");
}

void declare_program(cli::Options& options, ServerOptions& asked) {
    auto& program = asked.config.program;
    options.section("Program");
    options.flag("--keep-env", asked.keep_environment,
                 "pass the server's environment to the program");
    options.values("--rlimit NAME=N", program.resource_limits, parse_resource_limit,
                   "limit a resource of the program, such as nofile=64");
    options.value("--nice N", program.nice, cli::number_between(0, 19),
                  "run the program at a lower priority");
    options.flag("--no-new-privs", program.no_new_privileges,
                 "prevent the program from gaining rights (set-user-ID)");
    options.value("--record DIR", asked.record_directory, cli::parse_file,
                  "write a transcript of each connection to a file in DIR");
}

void declare_access(cli::Options& options, ServerOptions& asked, Written& written,
                    const ServerKind& kind) {
    options.section("Access");
    auto& access = asked.config.access;
    if (takes_tcp(kind)) {
        options.value("-x,--rules FILE", access.rules_file, cli::parse_file,
                      "allow or deny clients by the address rules in FILE");
        options.value("--check-rules IP", asked.check_rules, parse_client,
                      "print the rule of -x that applies to IP, and exit");
        options.flag("-H,--resolve-names", asked.config.look_up_names,
                     "look up the host names of clients for the log");
        options.flag("--proxy-protocol", written.proxy,
                     "expect a PROXY header that gives the client's address");
    }
    if (takes_unix(kind)) {
        options.values("--allow RULE", access.peer_rules, net::PeerRule::parse,
                       "serve only processes that match uid=, gid=, user=, group= or exe=");
        options.value("-m,--mode MODE", asked.access.mode, cli::parse_mode,
                      "set the mode of the socket, in octal (default 600)");
        options.value("-o,--owner USER[:GROUP]", written.socket_owner, parse_socket_owner,
                      "set the owner of the socket");
    }
    declare_user(options, asked.user);
}

void declare_service(cli::Options& options, ServerOptions& asked) {
    options.section("Service");
    options.value("--prefork N", asked.loops, cli::number_between(1, max_server_loops),
                  "accept clients in N threads (default: at most two for each CPU)");
    declare_notify_fd(options, asked.notify_fd);
    options.value("--fd-name NAME", asked.descriptor_name, cli::parse_text,
                  "serve only the inherited sockets called NAME (LISTEN_FDNAMES)");
    options.json(asked.json);
}

// Refuses options that would have no effect on this kind of address.
void refuse_wrong_kind(const Written& written, const ServerOptions& asked) {
    const auto& access = asked.config.access;
    if (asked.listens == net::ListenerKind::tcp) {
        if (!access.peer_rules.empty()) throw cli::UsageError("--allow needs a Unix socket");
        if (asked.access.mode != net::UnixSocketFile::Access{}.mode || written.socket_owner.user ||
            written.socket_owner.group)
            throw cli::UsageError("--mode and --owner need a Unix socket");
        return;
    }
    if (!access.rules_file.empty() || written.per_network || written.proxy)
        throw cli::UsageError("--rules, --per-address and --proxy-protocol need TCP");
}

// Sets the kind of the addresses. All of them must be of this kind.
void set_kind(ServerOptions& asked, const ServerKind& kind) {
    asked.listens = kind.listens;
    // "catsock-server ./socket cat" would greet clients at two sockets; unixserver runs cat.
    if (asked.listens == net::ListenerKind::unix_domain && asked.addresses.size() > 1)
        for (const auto& path : asked.addresses)
            if (!is_unix_address(path))
                throw cli::UsageError(fmt::format(
                    "PATH '{}': expected a path with a slash, or -- before a PROGRAM", path));
    if (kind.own == nullptr || asked.addresses.empty()) return;
    const bool is_unix = is_unix_address(asked.addresses.front());
    if (is_unix) asked.listens = net::ListenerKind::unix_domain;
    for (const auto& address : asked.addresses)
        if (is_unix_address(address) != is_unix)
            throw cli::UsageError(
                "one server listens on TCP ports or on Unix sockets, not on both");
}

void apply(const Written& written, ServerOptions& asked, const ServerKind& kind,
           std::string_view applet) {
    auto& config = asked.config;
    const bool tcp = asked.listens == net::ListenerKind::tcp;
    asked.access.owner = written.socket_owner.user;
    asked.access.group = written.socket_owner.group;
    if (asked.check_rules && config.access.rules_file.empty())
        throw cli::UsageError("--check-rules needs --rules");
    if (!asked.record_directory.empty() && asked.command.empty() && kind.own == nullptr)
        throw cli::UsageError("--record needs a PROGRAM");
    check(asked.tls);
    if (asked.tls && asked.command.empty() && kind.own == nullptr)
        throw cli::UsageError("--tls-cert needs a PROGRAM: the greeting is not encrypted");
    if (asked.tls && !asked.record_directory.empty())
        throw cli::UsageError(
            "--record and --tls-cert cannot be combined: the recorded bytes would be encrypted");
    if (asked.tls && config.over)
        throw cli::UsageError(
            "--over and --tls-cert cannot be combined: the message would not be encrypted");
    check_notify_fd(asked.notify_fd, asked.json);
    if (written.proxy) config.proxy_patience = config.limits.handshake.value_or(proxy_patience);
    if (written.once && config.admission.total.value_or(1) != 1)
        throw cli::UsageError("--once and --count cannot be combined");
    if (written.once) config.admission.total = 1;
    if (written.per_network) {
        config.access.per_network = written.per_network->max;
        config.access.network_bits_4 = written.per_network->bits_4;
        config.access.network_bits_6 = written.per_network->bits_6;
    }
    if (config.over) config.over->append(1, '\n');
    config.count_traffic = asked.json;
    // For TCP, the kernel tells how long a connection has been silent. For a Unix socket, a relay
    // has to watch the bytes.
    const auto looked_into = tcp ? std::nullopt : config.limits.idle;
    if (!asked.record_directory.empty() || looked_into)
        config.program.relay = {asked.record_directory, looked_into, std::string{applet}};
}

std::string_view usage_of(const ServerKind& kind) {
    if (kind.own != nullptr) return "[[HOST:]PORT|PATH...]";
    return kind.listens == net::ListenerKind::tcp ? "[[HOST:]PORT...] [-- PROGRAM [ARG...]]"
                                                  : "[PATH...] [-- PROGRAM [ARG...]]";
}

std::string_view where_to_listen(const ServerKind& kind) {
    if (kind.own != nullptr)
        return "where to listen (default localhost:9000, a PORT alone on loopback); a PATH "
               "contains a slash, and @NAME is an abstract socket";
    return kind.listens == net::ListenerKind::tcp
               ? "where to listen (default 2345, on all interfaces)"
               : "the socket (default /tmp/catsock); @NAME is an abstract socket";
}

} // namespace

ServerOptions parse_server_options(const Invocation& invocation, const ServerKind& kind) {
    ServerOptions asked;
    asked.config.admission.places = kind.connections;
    const bool tcp = kind.listens == net::ListenerKind::tcp;
    Written written;
    const auto parse_address = [&](std::string_view text) {
        if (!tcp || (kind.own != nullptr && is_unix_address(text))) return parse_socket_path(text);
        (void)net::HostPort::parse(text);
        return std::string{text};
    };
    cli::Options options{invocation, usage_of(kind)};
    options.operands(kind.own != nullptr ? "[HOST:]PORT|PATH"
                     : tcp               ? "[HOST:]PORT"
                                         : "PATH",
                     asked.addresses, parse_address, where_to_listen(kind));
    if (kind.own == nullptr) options.command(asked.command);
    if (kind.own != nullptr) kind.own->declare(options);
    declare_limits(options, asked, written, kind);
    declare_access(options, asked, written, kind);
    declare_program(options, asked);
    declare(options, asked.tls);
    declare_service(options, asked);
    if (kind.own == nullptr)
        options.note(
            kind.service == ServerKind::Service::greeting
                ? "Without a PROGRAM, each client gets a greeting."
                : "The connection is the PROGRAM's standard input and output. Without a PROGRAM, "
                  "each client gets a greeting, and a fortune if fortune(6) is installed.");
    options.example(kind.example, kind.example_text);
    asked.verbosity = options.parse();
    if (asked.addresses.size() == 2) refuse_host_then_port(asked.addresses[0], asked.addresses[1]);
    set_kind(asked, kind);
    if (kind.own != nullptr) refuse_wrong_kind(written, asked);
    if (asked.addresses.empty() && kind.own == nullptr)
        asked.addresses.emplace_back(tcp ? "2345" : "/tmp/catsock");
    apply(written, asked, kind, invocation.name);
    return asked;
}

} // namespace ipcbox::front
