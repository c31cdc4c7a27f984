// The box itself: finding the applet, and the options of `ipcbox` alone.
#pragma once

#include "applet.h"

namespace ipcbox::cli {

// Runs the applet that the basename of arguments[0] names, otherwise the one that arguments[1]
// names, otherwise ipcbox's own options. Returns the exit status. The rows are sorted by name.
[[nodiscard]] int dispatch(std::span<const AppletRow> applets, std::span<char* const> arguments);

} // namespace ipcbox::cli
