// The options for the way to a server over TCP, for tcp-client and tcp-interact.
#pragma once

#include "cli/options.h"
#include "front/client/tcp_way.h"
#include "front/family_options.h"

namespace ipcbox::front {

// In the sections "Connecting" and "TLS".
void declare(cli::Options& options, TcpWay& into, FamilyOptions& family);

// To be called once the line is parsed: takes the family from FAMILY or from --source. Throws
// UsageError for options that exclude each other.
void check(TcpWay& way, const FamilyOptions& family);

} // namespace ipcbox::front
