// tcp-interact - talk to a server line by line
#include "applet.h"
#include "cli/output.h"
#include "cli/values.h"
#include "core/io.h"
#include "front/client/command.h"
#include "front/client/interact.h"
#include "front/client/tcp_way_options.h"
#include "front/common_options.h"
#include "net/connect.h"
#include "net/proxy_line.h"
#include "net/socket_io.h"

#include <fmt/core.h>
#include <stdexcept>
#include <unistd.h>

namespace ipcbox {
namespace {

constexpr std::string_view unix_prefix = "unix:";

struct Config {
    std::string host;
    std::optional<std::uint16_t> port;
    front::TcpWay way;
    front::InteractOptions talk;

    [[nodiscard]] bool is_unix() const { return host.starts_with(unix_prefix); }
};

// Throws std::invalid_argument for a text that cannot name a server.
std::string parse_host(std::string_view text) {
    if (text.starts_with(unix_prefix))
        (void)front::parse_socket_path(text.substr(unix_prefix.size()));
    else
        (void)net::WrittenHost::parse(text);
    return std::string{text};
}

// "^]", a single character, or "none".
char parse_escape(std::string_view text) {
    if (text == "none") return '\0';
    if (text.size() == 1) return text.front();
    if (text.size() == 2 && text[0] == '^' && text[1] >= '@' && text[1] <= '_')
        return static_cast<char>(text[1] & 0x1f);
    throw std::invalid_argument("expected a character, ^ and a character, or none");
}

void declare(cli::Options& options, Config& config, front::FamilyOptions& family) {
    auto& talk = config.talk;
    auto& client = talk.client;
    options.required("HOST", config.host, parse_host,
                     "the server, or HOST:PORT, unix:PATH or unix:@NAME (an abstract socket)");
    options.operand("PORT", config.port, cli::parse_port,
                    "the server's port: a number or the name of a service");
    options.section("Conversation");
    options.flag("-C,--crlf", talk.passage.crlf, "send CR LF at the end of each line");
    options.flag("--telnet", talk.passage.telnet,
                 "refuse the telnet options that the server asks for, and show only the text");
    options.value("-e,--escape CHARACTER", talk.escape, parse_escape,
                  "the key that opens the menu on a terminal (default ^]), or none");
    options.value("-i,--idle-timeout DURATION", client.idle_limit, cli::parse_time_limit,
                  "give up if nothing is sent or received for this long (0: never)");

    options.flag("--twin", talk.twin, "use two processes, one for each direction");
    options.section("Output");
    options.value("--log FILE", talk.passage.log, cli::parse_file,
                  "append everything that is sent or received to FILE, with times");
    options.flag("--hex", talk.passage.hex, "show what the server sends as a hexadecimal dump");
    options.flag("--raw", client.raw,
                 "print control characters unchanged, even on a terminal; implies --no-edit");
    options.flag("--no-edit", talk.leaves_editing, "let the terminal edit the line");
    options.flag("--no-history", talk.forgets,
                 "neither recall earlier lines nor remember new ones");
    options.section("Connecting");
    options.value("-w,--connect-timeout DURATION", client.connect_limit, cli::parse_time_limit,
                  "give up connecting after this time (0: never)");
    options.flag("--wait", client.retry,
                 "if no server answers, try again for 30 s or the time of -w");
    options.flag("--haproxy-protocol", client.haproxy_protocol,
                 "begin with a PROXY header (version 1)");
    front::declare(options, config.way, family);
}

// Throws UsageError for options that exclude each other.
void check(Config& config, const front::FamilyOptions& family) {
    auto& way = config.way;
    const auto& talk = config.talk;
    way.sends_proxy_line = talk.client.haproxy_protocol || way.client;
    front::check(way, family);
    if (talk.twin && (talk.passage.log || talk.passage.telnet || talk.client.idle_limit))
        throw cli::UsageError("--twin cannot be combined with --log, --telnet or -i: neither "
                              "process sees both directions");
    if (!config.is_unix()) return;
    if (config.port) throw cli::UsageError("unix:PATH has no PORT");
    if (way.speaks_tls || way.proxy || way.source || way.client || way.keepalive || family.four ||
        family.six)
        throw cli::UsageError("unix:PATH cannot be combined with the options for TCP and TLS");
}

// HOST:PORT.
std::string target_of(const Config& config) {
    if (config.is_unix()) return config.host;
    const auto written = net::WrittenHost::parse(config.host);
    if (config.port && written.port) throw cli::UsageError("the PORT is given twice");
    if (!config.port && !written.port)
        throw cli::UsageError(fmt::format("no PORT: expected {0} PORT or {0}:PORT", config.host));
    net::HostPort target{written.host, config.port ? *config.port : *written.port};
    return target.text();
}

Config parse(const Invocation& invocation) {
    Config config;
    front::FamilyOptions family;
    cli::Options options{invocation, "HOST [PORT]"};
    declare(options, config, family);
    options.note("On a terminal, you can edit each line before it is sent. Text from the server "
                 "appears above your line. Ctrl-D ends the input. The escape key opens a menu. "
                 "When the server closes the connection, tcp-interact exits.");
    options.example("tcp-interact localhost 9000", "talk to a server");
    options.example("tcp-interact -C mail.example.com smtp", "talk to a server that wants CR LF");
    options.example("tcp-interact --tls mail.example.com imaps", "talk to a server over TLS");
    options.example("tcp-interact --telnet --log session.log switch telnet",
                    "talk to a telnet server, and log the session");
    options.example("tcp-interact unix:/run/app.sock", "talk to a server at a Unix-domain socket");
    config.talk.client.verbosity = options.parse();
    check(config, family);
    return config;
}

front::Reached reach_unix(const front::ClientOptions& options, const std::string& target,
                          Deadline deadline) {
    const auto path = target.substr(unix_prefix.size());
    front::Reached server;
    server.address = path;
    server.resolved = Deadline::Clock::now();
    server.socket = net::connect_unix(net::Address::unix_path(path), deadline);
    if (options.haproxy_protocol)
        net::send_all(server.socket, net::proxy_line({}, {}), "the server", deadline);
    return server;
}

// Prints the line of perlipc. If nobody reads standard error, the line is lost.
void say_connected(const std::string& target) {
    try {
        write_all(STDERR_FILENO, fmt::format("[Connected to {}]\n", target), "standard error");
    } catch (const SysError&) { // NOLINT(bugprone-empty-catch)
    }
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    const auto target = target_of(config);
    const auto& client = config.talk.client;
    auto server =
        front::reach(client, target, [&config](const std::string& place, Deadline deadline) {
            return config.is_unix() ? reach_unix(config.talk.client, place, deadline)
                                    : front::reach_tcp(config.way, place, deadline);
        });
    if (!client.verbosity.quiet) say_connected(target);
    front::interact(config.talk, target, server);
    return exit_status::done;
}

} // namespace

extern constexpr Applet tcp_interact{"talk to a server line by line", run};

} // namespace ipcbox
