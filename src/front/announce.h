// The moment at which a server can take clients, told to all who wait for it.
#pragma once

#include "cli/options.h"

#include <optional>
#include <span>
#include <string>

namespace ipcbox::front {

// The ready lines, "listening on PLACE" for each of PLACES: on standard error, unless we are to be
// quiet, or to the descriptor NOTIFY_FD (--notify-fd), which is let go of then. Whoever waits for
// such a line can connect once it is there. The service manager (sd_notify(3)) is told, too.
// Throws SysError when NOTIFY_FD cannot be written.
void announce(std::span<const std::string> places, std::optional<int> notify_fd,
              const cli::Verbosity& verbosity);

} // namespace ipcbox::front
