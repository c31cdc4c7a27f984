// Options that several families of applets share. Each is declared once, so that its text is the
// same everywhere. -4 and -6 are in front/family_options.h, those of TLS in front/tls_options.h.
#pragma once

#include "cli/options.h"
#include "cli/values.h"
#include "core/fork_retry.h"

#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::front {

// The path of a Unix-domain socket, or the @NAME of an abstract one, unchanged. Throws
// std::invalid_argument for a TEXT that cannot be either.
[[nodiscard]] std::string parse_socket_path(std::string_view text);

// Throws UsageError for the operands "0 7000" of a server. tcpserver(1) takes 0 as the host for all
// interfaces; here, it would be a free port beside port 7000.
void refuse_host_then_port(std::string_view host, std::string_view port);

// -u, --user USER[:GROUP] of a server.
void declare_user(cli::Options& options, std::optional<cli::Owner>& into);

// --notify-fd FD of a server; front/announce.h writes there.
void declare_notify_fd(cli::Options& options, std::optional<int>& into);

// --retry-fork N:PAUSE of an applet that runs a command. A line on standard error says that it
// pauses.
void declare_fork_retry(cli::Options& options, ForkRetry& into);

} // namespace ipcbox::front
