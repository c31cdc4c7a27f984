// tcp-client - print what a TCP server says, and send it standard input
#include "applet.h"
#include "cli/values.h"
#include "front/client/command.h"
#include "front/family_options.h"
#include "front/tls_options.h"
#include "net/connect.h"
#include "net/resolve.h"

#include <stdexcept>

namespace ipcbox {
namespace {

constexpr std::uint16_t default_port = 2345; // the manual page's

struct Config {
    std::optional<net::HostPort> target;
    std::optional<std::uint16_t> port;
    net::Family family = net::Family::any;
    std::optional<net::Address> source;
    bool speaks_tls = false;
    bool half_close = false; // over TLS
    net::TlsOptions tls;
    front::ClientOptions client;

    [[nodiscard]] std::string target_text() const {
        net::HostPort all = target.value_or(net::HostPort{"", default_port});
        if (all.host.empty()) all.host = "localhost";
        if (port) all.port = *port;
        return all.text();
    }
};

// HOST, HOST:PORT, or a PORT alone; an IPv6 address with or without brackets.
net::HostPort parse_target(std::string_view text) {
    const bool digits = text.find_first_not_of("0123456789") == std::string_view::npos;
    if (digits) return net::HostPort::parse(text);
    const auto written = net::WrittenHost::parse(text);
    return {written.host, written.port.value_or(default_port)};
}

std::string parse_waited(std::string_view text) {
    net::HostPort target = net::HostPort::parse(text);
    if (target.host.empty()) target.host = "localhost";
    return target.text();
}

// ADDRESS or ADDRESS:PORT.
net::Address parse_source(std::string_view text) {
    const auto written = net::WrittenHost::parse(text);
    if (const auto address = net::Address::parse_ip(written.host, written.port.value_or(0)))
        return *address;
    throw std::invalid_argument("expected a numeric ADDRESS or ADDRESS:PORT of this machine");
}

Config parse(const Invocation& invocation) {
    Config config;
    front::FamilyOptions family;
    cli::Options options{invocation, "[HOST [PORT]] [--wait-for HOST:PORT [-- COMMAND]]"};
    options.operand("HOST", config.target, parse_target,
                    "the server, also HOST:PORT (default localhost)");
    options.operand("PORT", config.port, cli::parse_port, "a number or a service (default 2345)");
    front::declare(options, config.client, "HOST:PORT", parse_waited);
    front::declare(options, family);
    options.value("--source ADDRESS", config.source, parse_source,
                  "connect from this address of ours, or ADDRESS:PORT");
    options.flag("--tls", config.speaks_tls, "speak TLS");
    options.value("--tls-name NAME", config.tls.name, cli::parse_text,
                  "the name that the server's certificate has to have (default HOST)");
    options.flag("--half-close", config.half_close,
                 "TLS: tell the server where the input ends; some then drop their answer");
    front::declare(options, config.tls);
    options.note("Standard input is sent when it is not a terminal and not /dev/null. At its end "
                 "our half of the connection is closed; the answer has all the time it needs.");
    options.example("tcp-client time.example.com daytime", "print what the server says");
    options.example("tcp-client localhost:8000 < request > answer", "ask, and keep the answer");
    options.example("tcp-client --tls example.com 443 < request", "over TLS");
    options.example("tcp-client -z -w 2 db 5432", "status 0 when somebody listens there");
    options.example("tcp-client --wait-for db:5432 -- ./migrate", "once it is there");
    front::parse(options, config.client);
    config.family = front::family_of(family);
    if (config.target && !config.client.wait_for.empty())
        throw cli::UsageError("a HOST and --wait-for exclude each other (is there a -- missing?)");
    const bool about_tls =
        config.half_close || !config.tls.name.empty() || front::says_something(config.tls);
    if (about_tls && !config.speaks_tls) throw cli::UsageError("the options for TLS need --tls");
    if (!config.source) return config;
    const auto source_family =
        config.source->family() == AF_INET ? net::Family::ipv4 : net::Family::ipv6;
    if (config.family != net::Family::any && config.family != source_family)
        throw cli::UsageError("--source is an address of the other family");
    config.family = source_family;
    return config;
}

front::Connection connect(const Config& config, const std::string& target, Deadline deadline) {
    const auto place = net::HostPort::parse(target);
    const auto addresses = net::resolve(place.host, place.port, config.family, deadline);
    const auto resolved = Deadline::Clock::now();
    Fd socket = net::connect_tcp(addresses, target, config.source, deadline);
    front::Connection connection{{}, net::peer_address(socket.get()).text(), resolved};
    if (config.speaks_tls) {
        auto options = config.tls;
        if (options.name.empty()) options.name = place.host;
        connection.tls.emplace(std::move(socket), options, deadline);
        // RFC 5246 (7.2.1): who is told our end drops what he has not yet said, and RFC 8446 has
        // changed that for TLS 1.3 only.
        if (!config.half_close) connection.request_end = net::RelayOptions::RequestEnd::kept_back;
    }
    connection.socket = std::move(socket);
    return connection;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    return front::run_client(config.client, config.target_text(),
                             [&config](const std::string& target, Deadline deadline) {
                                 return connect(config, target, deadline);
                             });
}

} // namespace

extern constexpr Applet tcp_client{"talk to a server over TCP", run};

} // namespace ipcbox
