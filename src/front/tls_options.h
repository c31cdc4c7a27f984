// The options of a client that speaks TLS, with curl's names.
#pragma once

#include "cli/options.h"
#include "net/tls_process.h"

namespace ipcbox::front {

void declare(cli::Options& options, net::TlsOptions& into);

// Whether one of them was given.
[[nodiscard]] bool says_something(const net::TlsOptions& options);

} // namespace ipcbox::front
