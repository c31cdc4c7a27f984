// TLS for the servers: their options, and the change to their programs so that ipcbox-tls serves
// them (tls/serve.h).
#pragma once

#include "cli/options.h"
#include "core/deadline.h"
#include "server/starter.h"

#include <optional>
#include <string>

namespace ipcbox::front {

struct ServerTls {
    std::optional<std::string> certificate; // a file or a directory; none: no TLS
    std::optional<std::string> key;
    std::optional<std::string> client_ca;

    [[nodiscard]] explicit operator bool() const { return certificate.has_value(); }
};

void declare(cli::Options& options, ServerTls& into);

// Throws UsageError for options that need --tls-cert.
void check(const ServerTls& tls);

// Changes PROGRAM, which was found already, so that each connection gets an ipcbox-tls that becomes
// the program after the handshake. The handshake may take HANDSHAKE. Throws Error when there is no
// ipcbox-tls.
void serve_over_tls(const ServerTls& tls, std::optional<Duration> handshake,
                    server::ProgramPlan& program);

// Reads the files as each connection will. Throws Error, which names the file that cannot be used.
void check_tls_files(const ServerTls& tls);

} // namespace ipcbox::front
