// What the kernel knows about each signal: signal(7).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::process {

// What happens to a process that neither catches nor ignores it: "terminate", "core", "ignore",
// "stop", "continue".
[[nodiscard]] std::string_view default_action(int signal);

// KILL and STOP cannot be caught, blocked or ignored.
[[nodiscard]] bool can_be_caught(int signal);

// Other names of it: "CLD" for CHLD, "IOT" for ABRT, "POLL" for IO.
[[nodiscard]] std::vector<std::string> other_names(int signal);

// The signals that programs use, in the order of their numbers: all except those that the C library
// keeps for its threads.
[[nodiscard]] std::vector<int> all_signal_numbers();

// Translates TEXT as `kill -l` does: the number of a name, the name of a number, and the name of
// the signal of an exit status (143 is 128 + 15). Nothing when it means no signal.
[[nodiscard]] std::optional<std::string> translate_signal(std::string_view text);

} // namespace ipcbox::process
