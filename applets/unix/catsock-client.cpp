// catsock-client - print what a Unix-domain socket's server says, and send it standard input
#include "applet.h"
#include "front/client/command.h"
#include "net/connect.h"

namespace ipcbox {
namespace {

struct Config {
    std::optional<std::string> path;
    front::ClientOptions client;
};

// Throws std::invalid_argument for what can be no socket's address.
std::string parse_path(std::string_view text) {
    try {
        return net::Address::unix_path(text).text();
    } catch (const Error& error) {
        throw std::invalid_argument(error.what());
    }
}

Config parse(const Invocation& invocation) {
    Config config;
    cli::Options options{invocation, "[PATH] [-- COMMAND [ARGUMENT...]]"};
    options.operand("PATH", config.path, parse_path,
                    "the socket, @NAME for an abstract one (default /tmp/catsock)");
    front::declare(options, config.client, "PATH", parse_path);
    options.note("Standard input is sent when it is not a terminal and not /dev/null. At its end "
                 "our half of the connection is closed; the answer has all the time it needs.");
    options.example("catsock-client", "what the server at /tmp/catsock says");
    options.example("echo PING | catsock-client /run/redis/redis.sock",
                    "ask, and print the answer");
    options.example("catsock-client --wait-for /run/app.sock -- ./tests", "once it is there");
    front::parse(options, config.client);
    if (config.path && !config.client.wait_for.empty())
        throw cli::UsageError("a PATH and --wait-for exclude each other (is there a -- missing?)");
    return config;
}

front::Connection connect(const std::string& path, Deadline deadline) {
    const auto resolved = Deadline::Clock::now();
    return {net::connect_unix(net::Address::unix_path(path), deadline), path, resolved};
}

int run(const Invocation& invocation) {
    const Config config = parse(invocation);
    return front::run_client(config.client, config.path.value_or("/tmp/catsock"), connect);
}

} // namespace

extern constexpr Applet catsock_client{"talk to a server over a Unix-domain socket", run};

} // namespace ipcbox
