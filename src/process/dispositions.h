// The signal settings with which a program starts that we become: execve(2) keeps which signals are
// ignored, and which are blocked.
#pragma once

#include <csignal>
#include <string_view>
#include <vector>

namespace ipcbox::process {

// "TERM,INT", or "all": every signal that can be caught. Throws std::invalid_argument with what was
// expected; KILL and STOP cannot be handled.
[[nodiscard]] std::vector<int> parse_signals(std::string_view text);

// Both apply to us and to the programs that we execute or start from now on. Throw SysError.
void ignore_signals(const std::vector<int>& signals);
void set_default(const std::vector<int>& signals);

// Blocks them in the programs that we execute or start, in addition to those that were blocked when
// we were started.
void block_in_programs(const std::vector<int>& signals);

} // namespace ipcbox::process
