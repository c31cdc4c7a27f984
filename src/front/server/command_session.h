// One client of command-server, served by a process of its own: our own program, executed again
// with the connection as its standard input and output.
//
// Lines: a greeting, the prompt "Command? ", and for each line that comes the answer and the prompt
// again. JSON: for each line {"cmd":NAME,"args":[TEXT…]} a line {"v":1,"cmd":NAME,"status":N,
// "out":TEXT}, with "error" when the command did not end by itself.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace ipcbox::front {

// The arguments that turn an applet into such a process. PLAN is the number of the descriptor with
// the CommandPlan.
[[nodiscard]] std::vector<std::string> command_session_arguments(int plan);
[[nodiscard]] bool is_command_session(std::span<char* const> arguments);

// Serves the client until it leaves or its session has to end. Returns the exit status. Throws
// Error.
[[nodiscard]] int run_command_session(std::span<char* const> arguments);

} // namespace ipcbox::front
