// The options that say by which way a client gets to a server over TCP: tcp-client, tcp-interact.
#pragma once

#include "cli/options.h"
#include "front/client/tcp_way.h"
#include "front/family_options.h"

namespace ipcbox::front {

// In the sections "Connecting" and "TLS".
void declare(cli::Options& options, TcpWay& into, FamilyOptions& family);

// Once the line is parsed: takes over FAMILY, or that of --source. Throws UsageError for what does
// not go together.
void check(TcpWay& way, const FamilyOptions& family);

} // namespace ipcbox::front
