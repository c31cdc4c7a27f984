// What a program that we become does about signals at its start: execve(2) keeps which of them are
// ignored, and which are blocked.
#pragma once

#include <csignal>
#include <string_view>
#include <vector>

namespace ipcbox::process {

// "TERM,INT", or "all": every signal that can be caught. Throws std::invalid_argument with what was
// expected; KILL and STOP cannot be handled.
[[nodiscard]] std::vector<int> parse_signals(std::string_view text);

// For us and what we execute or start from now on. Throws SysError.
void ignore_signals(const std::vector<int>& signals);
void set_default(const std::vector<int>& signals);

// Blocks them in the programs that we execute or start, beside those that we were started with
// blocked.
void block_in_programs(const std::vector<int>& signals);

} // namespace ipcbox::process
