// The whole of a server applet: two applets differ only in where they listen and what they say.
#pragma once

#include "front/server/options.h"

namespace ipcbox::front {

// Serves until a signal ends it; the applet's exit status.
[[nodiscard]] int run_server(const Invocation& invocation, const ServerKind& kind);

} // namespace ipcbox::front
