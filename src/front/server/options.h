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

// The PATH of the programs that a server starts, unless --keep-env gives them our environment.
inline constexpr std::string_view program_path = "/usr/bin:/bin";

struct ServerOptions;

// The service of a server that needs no PROGRAM: our own program, executed again for each
// connection.
class OwnService {
  public:
    virtual ~OwnService() = default;
    // Its options.
    virtual void declare(cli::Options& options) = 0;
    // To be called after the command line is read and before anything is opened: completes ASKED,
    // above all its program. Returns true when the user wanted no more than that. Throws Error,
    // even for a wrong value.
    [[nodiscard]] virtual bool prepare(ServerOptions& asked) = 0;
    // Checks whether our next image could serve. If not, throws Error, and the server goes on as it
    // is.
    virtual void check_restart() = 0;
};

// The differences between the server applets.
struct ServerKind {
    net::ListenerKind listens = net::ListenerKind::tcp;
    int connections = 128; // at a time, by default
    // The service for a client when no program is named.
    enum class Service { greeting, greeting_and_fortune } service = Service::greeting;
    OwnService* own = nullptr; // if set, addresses can be of both kinds, and there is no PROGRAM
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
    bool keep_environment = false; // otherwise programs get only program_path and our variables
    std::optional<int> notify_fd;
    std::optional<net::Address> check_rules;    // print what the rules do with this client, and end
    std::optional<std::string> descriptor_name; // of the inherited sockets that are meant
    bool json = false;
    cli::Verbosity verbosity;
};

// Throws as cli::Options::parse() does.
[[nodiscard]] ServerOptions parse_server_options(const Invocation& invocation,
                                                 const ServerKind& kind);

} // namespace ipcbox::front
