// A command on a terminal of its own (dialog/pty_relay.h). This is pty-run.
#pragma once

#include "dialog/pty_relay.h"
#include "front/run_command.h"

namespace ipcbox::front {

// Runs the command to its end. If a signal killed it, we die of that signal here; otherwise returns
// our exit status. Throws what dialog::PtyRelay does before the start.
[[nodiscard]] int run_on_terminal(const dialog::PtyRelayPlan& plan, const Command& command);

} // namespace ipcbox::front
