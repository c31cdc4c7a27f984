#include "front/server/options.h"

#include "core/user.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <limits>
#include <stdexcept>
#include <sys/resource.h>

namespace ipcbox::front {

namespace {

constexpr int most_connections = 1'000'000;
constexpr auto proxy_patience = std::chrono::seconds{10};

// "10/1s"
server::Rate parse_rate(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos)
        throw std::invalid_argument("expected a number and a duration, such as 10/1s");
    return {cli::number_between(1, most_connections)(text.substr(0, slash)),
            cli::parse_duration(text.substr(slash + 1))};
}

// "4", "4/24", "4/24/56"
struct PerNetwork {
    unsigned most = 0;
    unsigned bits_4 = 32;
    unsigned bits_6 = 64; // what one customer of a provider has at least (RFC 6177)
};
unsigned parse_number(std::string_view text, int least, int most) {
    return static_cast<unsigned>(cli::number_between(least, most)(text));
}
PerNetwork parse_per_network(std::string_view text) {
    const auto first = std::min(text.find('/'), text.size());
    const auto second = std::min(text.find('/', first + 1), text.size());
    PerNetwork limit;
    limit.most = parse_number(text.substr(0, first), 1, most_connections);
    if (first < text.size())
        limit.bits_4 = parse_number(text.substr(first + 1, second - first - 1), 0, 32);
    if (second < text.size()) limit.bits_6 = parse_number(text.substr(second + 1), 0, 128);
    return limit;
}

// "nofile=64": the names of prlimit(1).
ResourceLimit parse_resource_limit(std::string_view text) {
    struct Resource {
        std::string_view name;
        int number;
    };
    constexpr std::array resources{
        Resource{"as", RLIMIT_AS},         Resource{"core", RLIMIT_CORE},
        Resource{"cpu", RLIMIT_CPU},       Resource{"data", RLIMIT_DATA},
        Resource{"fsize", RLIMIT_FSIZE},   Resource{"memlock", RLIMIT_MEMLOCK},
        Resource{"nofile", RLIMIT_NOFILE}, Resource{"nproc", RLIMIT_NPROC},
        Resource{"stack", RLIMIT_STACK},
    };
    const auto equals = std::min(text.find('='), text.size());
    const auto found = std::ranges::find(resources, text.substr(0, equals), &Resource::name);
    if (found == resources.end() || equals == text.size())
        throw std::invalid_argument("expected NAME=NUMBER, where NAME is as, core, cpu, data, "
                                    "fsize, memlock, nofile, nproc or stack");
    return {found->number, cli::parse_size(text.substr(equals + 1))};
}

net::Address parse_client(std::string_view text) {
    const auto address = net::Address::parse_ip(text, 0);
    if (!address) throw std::invalid_argument("expected an IP address");
    return *address;
}

struct SocketOwner {
    std::optional<uid_t> user;
    std::optional<gid_t> group;
};
// "root", "root:adm", ":adm"
SocketOwner parse_socket_owner(std::string_view text) {
    if (!text.starts_with(':')) {
        const auto owner = cli::parse_owner(text);
        return {owner.uid, owner.gid};
    }
    const auto group = find_group(text.substr(1));
    if (!group) throw std::invalid_argument("there is no such group");
    return {std::nullopt, group};
}

void declare_limits(cli::Options& options, ServerOptions& asked,
                    std::optional<PerNetwork>& per_network, bool& once, const ServerKind& kind) {
    auto& config = asked.config;
    options.value(
        "-c,--connections MAX", config.gate.places, cli::number_between(1, most_connections),
        fmt::format("at most so many at a time, the others wait (default {})", kind.connections));
    options.value("--over MESSAGE", config.over, cli::parse_text,
                  "the others do not wait: they get this line");
    if (kind.listens == net::ListenerKind::tcp)
        options.value("-C,--per-address MAX[/BITS[/BITS6]]", per_network, parse_per_network,
                      "at most so many from one network (default /32, and /64 for IPv6)");
    options.value("--rate N/DURATION", config.gate.rate, parse_rate,
                  "accept no more than N in any such time: 10/1s");
    options.flag("-1,--once", once, "end after one connection");
    options.value("--count N", config.gate.total,
                  cli::number_between(1, std::numeric_limits<int>::max()),
                  "end after N connections");
    options.value("--max-time DURATION", config.limits.longest, cli::parse_duration,
                  "end a connection that lasts longer");
    options.value("--idle-timeout DURATION", config.limits.idle, cli::parse_duration,
                  "end a connection without a byte either way for so long");
    if (kind.listens == net::ListenerKind::tcp)
        options.value("--handshake-timeout DURATION", config.limits.handshake, cli::parse_duration,
                      "end a connection whose client says nothing for so long");
    options.value("--grace DURATION", config.grace, cli::parse_duration,
                  "at the end, wait so long for connections (default 30s)");
    options.value("--prefork N", asked.loops, cli::number_between(1, most_server_loops),
                  "accept in N loops (default two for each CPU, one without a PROGRAM)");
}

void declare_program(cli::Options& options, ServerOptions& asked) {
    auto& config = asked.config;
    options.flag("--keep-env", asked.keep_environment,
                 "give the program our environment, not an empty one");
    options.values("--rlimit NAME=N", config.resource_limits, parse_resource_limit,
                   "limit a resource of the program: nofile=64");
    options.value("--nice N", config.nice, cli::number_between(0, 19),
                  "run the program at a lower priority");
    options.flag("--no-new-privs", config.no_new_privileges,
                 "set-uid programs gain the program nothing");
}

void declare_access(cli::Options& options, ServerOptions& asked, bool& proxy,
                    SocketOwner& socket_owner, const ServerKind& kind) {
    if (kind.listens == net::ListenerKind::tcp) {
        options.flag("-H,--resolve-names", asked.config.look_up_names,
                     "call clients by their names once these are known");
        options.flag("--proxy-protocol", proxy,
                     "clients come through a proxy that says who they are");
        options.value("-x,--rules FILE", asked.config.access_file, cli::parse_text,
                      "who may connect: rules on addresses");
        options.value("--check-rules IP", asked.check_rules, parse_client,
                      "print which of the rules decides on IP, and end");
        return;
    }
    options.values("--allow RULE", asked.config.peer_rules, net::PeerRule::parse,
                   "who may connect: uid=, gid=, user=, group= or exe=, with commas");
    options.value("-m,--mode MODE", asked.access.mode, cli::parse_mode,
                  "who may connect, in octal (default 600)");
    options.value("-o,--owner USER[:GROUP]", socket_owner, parse_socket_owner,
                  "whose the socket is");
}

} // namespace

ServerOptions parse_server_options(const Invocation& invocation, const ServerKind& kind) {
    ServerOptions asked;
    asked.config.gate.places = kind.connections;
    const bool tcp = kind.listens == net::ListenerKind::tcp;
    std::optional<PerNetwork> per_network;
    SocketOwner socket_owner;
    bool once = false;
    bool proxy = false;
    const auto parse_address = [tcp](std::string_view text) {
        if (tcp) (void)net::HostPort::parse(text);
        return std::string{text};
    };
    cli::Options options{invocation, tcp ? "[[HOST:]PORT...] [-- PROGRAM [ARG...]]"
                                         : "[PATH...] [-- PROGRAM [ARG...]]"};
    options.operands(tcp ? "[HOST:]PORT" : "PATH", asked.addresses, parse_address,
                     tcp ? "where to listen (default 2345, on all interfaces)"
                         : "the socket (default /tmp/catsock); @name is an abstract one");
    options.command(asked.command);
    declare_limits(options, asked, per_network, once, kind);
    declare_program(options, asked);
    options.value("--record DIR", asked.record_directory, cli::parse_text,
                  "write down each connection in a file in DIR");
    options.value("-u,--user USER[:GROUP]", asked.user, cli::parse_owner,
                  "become this user once we listen");
    declare_access(options, asked, proxy, socket_owner, kind);
    options.value("--notify-fd FD", asked.notify_fd,
                  cli::number_between(1, std::numeric_limits<int>::max()),
                  "say there, not on standard error, that we listen");
    options.json(asked.json);
    options.note(kind.service == ServerKind::Service::greeting
                     ? "Without a PROGRAM a client gets a greeting."
                     : "Without a PROGRAM a client gets a greeting, and a fortune if there are "
                       "any. The socket is the PROGRAM's standard input and output.");
    options.example(kind.example, kind.example_text);
    asked.verbosity = options.parse();
    if (asked.addresses.empty()) asked.addresses.emplace_back(tcp ? "2345" : "/tmp/catsock");
    asked.access.owner = socket_owner.user;
    asked.access.group = socket_owner.group;
    if (asked.check_rules && asked.config.access_file.empty())
        throw cli::UsageError("--check-rules goes with --rules");
    if (proxy) asked.config.proxy_patience = asked.config.limits.handshake.value_or(proxy_patience);
    if (!asked.record_directory.empty() && asked.command.empty())
        throw cli::UsageError("--record goes with a PROGRAM");
    // TCP tells how long a connection was silent; a Unix socket has to be looked into.
    const bool looks_into = !tcp && asked.config.limits.idle;
    if (!asked.record_directory.empty() || looks_into)
        asked.config.session = {asked.record_directory,
                                looks_into ? asked.config.limits.idle : std::nullopt};
    if (once) asked.config.gate.total = 1;
    if (per_network) {
        asked.config.per_network = per_network->most;
        asked.config.network_bits_4 = per_network->bits_4;
        asked.config.network_bits_6 = per_network->bits_6;
    }
    if (asked.config.over) asked.config.over->append(1, '\n');
    asked.config.count_traffic = asked.json;
    return asked;
}

} // namespace ipcbox::front
