// The border: where exceptions become one line on stderr and an exit status.
#pragma once

#include "applet.h"

#include <functional>

namespace ipcbox::cli {

// Runs the applet; returns its status, or the status of the error that it threw.
[[nodiscard]] int run_applet(const AppletRow& applet, std::span<char* const> arguments);

// The same border around any WORK: `ipcbox` itself and forked children use it too. It flushes
// stdout at the end; a write that is lost is a failure.
[[nodiscard]] int guarded(const std::function<int()>& work);

} // namespace ipcbox::cli
