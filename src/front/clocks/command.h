// All of an applet that asks clocks. timecheck and udptime differ in what they ask by default.
#pragma once

#include "front/clocks/options.h"

namespace ipcbox::front {

// Asks all hosts, prints what they say, and returns the exit status.
[[nodiscard]] int run_clocks(const Invocation& invocation, const ClockKind& kind);

} // namespace ipcbox::front
