// Answers that command-server gives without starting a program, because a container may lack the
// program.
#pragma once

#include <string>

namespace ipcbox::server {

// A line for each user who is logged in, "NAME LINE DATE (HOST)", from the records of PATH
// (utmp(5)); a line that says so when there is none, or no such file. Throws SysError.
[[nodiscard]] std::string who_answer(const std::string& path);

// The message of the day, at most 64 KiB of PATH (motd(5)); a line that says so when there is no
// such file. Throws SysError.
[[nodiscard]] std::string motd_answer(const std::string& path);

// One saying of a few that are built in, for machines without fortune(6).
[[nodiscard]] std::string saying(unsigned number);

} // namespace ipcbox::server
