// What tcp-client and catsock-client do with a connection. A client says how to connect; the rest
// is here.
#pragma once

#include "front/client/options.h"
#include "front/client/reached.h"

#include <string>

namespace ipcbox::front {

// Connects, trying again when the options want it, and says so with -v.
[[nodiscard]] Reached reach(const ClientOptions& options, const std::string& target,
                            const Connect& connect);

// Waits, tests or talks, as the options say; returns the exit status.
[[nodiscard]] int run_client(const ClientOptions& options, const std::string& target,
                             const Connect& connect);

} // namespace ipcbox::front
