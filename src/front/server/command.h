// A whole server applet. The applets differ only in their addresses and their greeting.
#pragma once

#include "front/server/options.h"

namespace ipcbox::front {

// Serves until a signal ends it. Returns the applet's exit status.
[[nodiscard]] int run_server(const Invocation& invocation, const ServerKind& kind);

} // namespace ipcbox::front
