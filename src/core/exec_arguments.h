// What execve(2) takes, and what its failure means.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace ipcbox {

// The strings' pointers and a null one. They point into STRINGS.
[[nodiscard]] std::vector<char*> exec_pointers(std::span<const std::string> strings);

// Throws Error "cannot execute NAME: REASON" with status 127 when there is no such program, 126
// when it is one that cannot be executed.
[[noreturn]] void throw_exec_error(const std::string& name, int error);

} // namespace ipcbox
