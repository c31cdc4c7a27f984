// Announces that a server can accept clients.
#pragma once

#include "cli/options.h"

#include <optional>
#include <span>
#include <string>

namespace ipcbox::front {

// Throws UsageError when the ready lines would go to the descriptor of the --json objects, because
// it is closed after them.
void check_notify_fd(std::optional<int> notify_fd, bool json);

// Prints the ready lines, "listening on PLACE" for each of PLACES: on standard error, except with
// --quiet, or on the descriptor NOTIFY_FD (--notify-fd), which is then closed, except that standard
// error stays open. A client can connect once its line is there. It also tells the service manager
// (sd_notify(3)). Throws SysError when NOTIFY_FD cannot be written.
void announce(std::span<const std::string> places, std::optional<int> notify_fd,
              const cli::Verbosity& verbosity);

} // namespace ipcbox::front
