// Programs found and executed: environ(7), execve(2).
#pragma once

#include <span>
#include <string>

namespace ipcbox {

// The path of the program that NAME means: NAME itself if it has a slash, else found along PATH.
// Throws Error with status 127 when there is none, 126 when it cannot be executed.
[[nodiscard]] std::string find_program(const std::string& name);

// The path of the program that we are (/proc/self/exe). Throws SysError.
[[nodiscard]] std::string own_program();

// Becomes PROGRAM (a path), with ARGUMENTS whose first is the name it is called by. Throws as
// find_program does.
[[noreturn]] void execute(const std::string& program, std::span<const std::string> arguments);

// The same, but signals stay blocked as they are: for our own next image, which will take them.
[[noreturn]] void execute_with_signals_blocked(const std::string& program,
                                               std::span<const std::string> arguments);

} // namespace ipcbox
