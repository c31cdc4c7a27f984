// catsock-client - print what a Unix-domain socket's server says, and send it standard input
#include "applet.h"
#include "front/client/command.h"
#include "front/common_options.h"
#include "net/connect.h"
#include "net/proxy_line.h"
#include "net/socket_io.h"

namespace ipcbox {
namespace {

struct Config {
    std::optional<std::string> path;
    front::ClientOptions client;
};

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[PATH] [-- COMMAND [ARGUMENT...]]"};
    options.operand("PATH", config.path, front::parse_socket_path,
                    "the socket (default /tmp/catsock); @NAME is an abstract socket");
    front::declare(options, config.client, "PATH", front::parse_socket_path);
    options.note(
        "catsock-client sends standard input, unless that is a terminal or /dev/null. At the end "
        "of the input, it closes its half of the connection and waits for the rest of the answer.");
    options.example("catsock-client /run/uptime.sock", "print the answer of a server");
    options.example("echo PING | catsock-client /run/redis/redis.sock",
                    "send a request, and print the answer");
    options.example("catsock-client --wait-for /run/app.sock -- ./tests",
                    "run the tests once a server listens there");
    options.example("catsock-client --wait-for /run/docker.sock --http /_ping",
                    "wait until dockerd answers");
    front::parse(options, config.client);
    if (config.path && !config.client.wait_for.empty())
        throw cli::UsageError("a PATH and --wait-for cannot be combined (is there a -- missing?)");
    return config;
}

front::Reached reach(const front::ClientOptions& options, const std::string& path,
                     Deadline deadline) {
    front::Reached server;
    server.address = path;
    server.resolved = Deadline::Clock::now();
    server.socket = net::connect_unix(net::Address::unix_path(path), deadline);
    if (options.haproxy_protocol)
        net::send_all(server.socket, net::proxy_line({}, {}), "the server", deadline);
    return server;
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    return front::run_client(config.client, config.path.value_or("/tmp/catsock"),
                             [&config](const std::string& path, Deadline deadline) {
                                 return reach(config.client, path, deadline);
                             });
}

} // namespace

extern constexpr Applet catsock_client{"talk to a server over a Unix-domain socket", run};

} // namespace ipcbox
