// The command line of the servers: one set of options for TCP and for Unix sockets.
#pragma once

#include "applet.h"
#include "cli/options.h"
#include "cli/values.h"
#include "front/server/tls.h"
#include "server/server.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::front {

// The PATH of the programs that a server starts, unless --keep-env leaves them ours.
inline constexpr std::string_view program_path = "/usr/bin:/bin";

struct ServerOptions;

// What serves the connections of a server that needs no PROGRAM: our own program, executed anew for
// each of them.
class OwnService {
  public:
    virtual ~OwnService() = default;
    // Its options.
    virtual void declare(cli::Options& options) = 0;
    // After the command line is read, and before anything is opened: completes what was asked, its
    // program above all. True when that was all that the user wanted. Throws Error, also for a
    // wrong value.
    [[nodiscard]] virtual bool prepare(ServerOptions& asked) = 0;
    // Whether our next image could serve. Throws Error, and then the server goes on as it is.
    virtual void check_restart() = 0;
};

// What makes one server applet another one.
struct ServerKind {
    net::ListenerKind listens = net::ListenerKind::tcp;
    int connections = 128; // at a time, by default
    // What a client gets when no program is named.
    enum class Service { greeting, greeting_and_fortune } service = Service::greeting;
    OwnService* own = nullptr; // then the addresses are of both kinds, and no program is taken
    std::string_view example;  // of a command line, and what it does
    std::string_view example_text;
};

constexpr int max_server_loops = 64;

struct ServerOptions {
    std::vector<std::string> addresses; // as they were written; at least one
    net::ListenerKind listens = net::ListenerKind::tcp;
    std::vector<std::string> command; // empty: the service of its kind
    server::ServerConfig config;
    net::UnixSocketFile::Access access;
    std::string record_directory;
    ServerTls tls;
    std::optional<cli::Owner> user;
    std::optional<int> loops;      // none: as many as are best for the service
    bool keep_environment = false; // else the programs get program_path, and what we tell them
    std::optional<int> notify_fd;
    std::optional<net::Address> check_rules;    // says what the rules do with this client
    std::optional<std::string> descriptor_name; // of the inherited sockets that are meant
    bool json = false;
    cli::Verbosity verbosity;
};

// The name of a resource of setrlimit(2), as --rlimit takes it.
[[nodiscard]] std::string_view resource_name(int number);

// Throws as cli::Options::parse() does.
[[nodiscard]] ServerOptions parse_server_options(const Invocation& invocation,
                                                 const ServerKind& kind);

} // namespace ipcbox::front
