// tcp-client - print what a TCP server says, and send it standard input
#include "applet.h"
#include "cli/values.h"
#include "front/client/command.h"
#include "front/client/tcp_way_options.h"

#include <stdexcept>

namespace ipcbox {
namespace {

constexpr std::uint16_t default_port = 2345; // that of the manual page

struct Config {
    std::optional<net::HostPort> target;
    std::optional<std::uint16_t> port;
    front::TcpWay way;
    front::ClientOptions client;

    [[nodiscard]] std::string target_text() const {
        net::HostPort all = target.value_or(net::HostPort{"", default_port});
        if (all.host.empty()) all.host = "localhost";
        if (port) all.port = *port;
        return all.text();
    }
};

// Parses HOST, HOST:PORT or a single PORT. An IPv6 address can be in brackets or not.
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

void declare(cli::Options& options, Config& config, front::FamilyOptions& family) {
    auto& way = config.way;
    options.operand("HOST", config.target, parse_target,
                    "the server, or HOST:PORT (default localhost)");
    options.operand("PORT", config.port, cli::parse_port,
                    "a number or the name of a service (default 2345)");
    front::declare(options, config.client, "HOST:PORT", parse_waited);
    front::declare(options, way, family);
}

// Throws UsageError for options that exclude each other.
void check(Config& config, const front::FamilyOptions& family) {
    auto& way = config.way;
    way.sends_proxy_line = config.client.haproxy_protocol || way.client;
    if (config.target && !config.client.wait_for.empty())
        throw cli::UsageError("a HOST and --wait-for cannot be combined (is there a -- missing?)");
    if (way.proxy && config.client.closed)
        throw cli::UsageError("--proxy and --closed cannot be combined");
    front::check(way, family);
}

Config parse(const Invocation& invocation) {
    Config config;
    front::FamilyOptions family;
    cli::Options options{invocation, "[HOST [PORT]] [--wait-for HOST:PORT [-- COMMAND]]"};
    declare(options, config, family);
    options.note(
        "tcp-client sends standard input, unless that is a terminal or /dev/null. At the end of "
        "the "
        "input, it closes its half of the connection and waits for the rest of the answer.");
    options.example("tcp-client time.example.com daytime", "print the answer of a time server");
    options.example("tcp-client localhost:8000 < request > answer",
                    "send a request, and store the answer in a file");
    options.example("tcp-client --tls example.com 443 < request", "send a request over TLS");
    options.example("tcp-client -z -w 2 db 5432", "test whether a server listens there");
    options.example("tcp-client --wait-for db:5432 --wait-for mq:5672 -- ./migrate",
                    "run a command once both servers answer");
    options.example("tcp-client --wait-for app:8080 --http /health",
                    "wait until the server is healthy");
    front::parse(options, config.client);
    check(config, family);
    return config;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    return front::run_client(config.client, config.target_text(),
                             [&config](const std::string& target, Deadline deadline) {
                                 return front::reach_tcp(config.way, target, deadline);
                             });
}

} // namespace

extern constexpr Applet tcp_client{"talk to a server over TCP", run};

} // namespace ipcbox
