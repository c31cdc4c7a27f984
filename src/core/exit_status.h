// The exit statuses of every applet: one table, documented in ipcbox(1).
#pragma once

namespace ipcbox::exit_status {

inline constexpr int done = 0;
inline constexpr int failed = 1;           // the job failed, or was refused: busy, not taken
inline constexpr int usage = 2;            // the command line makes no sense
inline constexpr int timed_out = 124;      // our own deadline passed, as timeout(1) has it
inline constexpr int before_command = 125; // we failed before the command could run, as env(1)
inline constexpr int cannot_execute = 126; // the command is there and cannot be executed
inline constexpr int not_found = 127;      // there is no such command (POSIX 2.8.2)
inline constexpr int signal_base = 128;    // + N: the command died of signal N

} // namespace ipcbox::exit_status
