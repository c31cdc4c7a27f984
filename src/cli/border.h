// The border: where exceptions become one line on stderr and an exit status.
#pragma once

#include "applet.h"

#include <functional>

namespace ipcbox::cli {

// Runs the applet; returns its status, or that of what it threw.
[[nodiscard]] int run_applet(const AppletRow& applet, std::span<char* const> arguments);

// The same border around any work: `ipcbox` itself and forked children have it too. It ends with
// stdout flushed, a lost write being a failure.
[[nodiscard]] int guarded(const std::function<int()>& work);

} // namespace ipcbox::cli
