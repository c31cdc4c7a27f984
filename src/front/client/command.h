// The common work of tcp-client and catsock-client. Each of them supplies a function that connects;
// the rest is here.
#pragma once

#include "front/client/options.h"
#include "front/client/reached.h"

#include <string>

namespace ipcbox::front {

// Connects, tries again if the options say so, and reports the connection with -v.
[[nodiscard]] Reached reach(const ClientOptions& options, const std::string& target,
                            const Connect& connect);

// Waits, tests or talks, as the options say; returns the exit status.
[[nodiscard]] int run_client(const ClientOptions& options, const std::string& target,
                             const Connect& connect);

} // namespace ipcbox::front
