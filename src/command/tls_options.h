// The options of whoever speaks TLS, under curl's names.
#pragma once

#include "cli/options.h"
#include "net/tls_process.h"

namespace ipcbox::command {

void declare(cli::Options& options, TlsOptions& into);

// Whether one of them was given.
[[nodiscard]] bool says_something(const TlsOptions& options);

} // namespace ipcbox::command
