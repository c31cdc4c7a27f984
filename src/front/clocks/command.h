// A whole applet that asks clocks. timecheck and udptime differ only in their defaults.
#pragma once

#include "front/clocks/options.h"

namespace ipcbox::front {

// Asks all hosts, prints the results, and returns the exit status.
[[nodiscard]] int run_clocks(const Invocation& invocation, const ClockKind& kind);

} // namespace ipcbox::front
