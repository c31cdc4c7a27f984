// The exit statuses of every applet: one table, documented in ipcbox(1).
#pragma once

namespace ipcbox::exit_status {

inline constexpr int done = 0;
inline constexpr int failed = 1;           // the job failed, or the lock or token was taken
inline constexpr int usage = 2;            // the command line is wrong
inline constexpr int timed_out = 124;      // the time limit passed, as for timeout(1)
inline constexpr int before_command = 125; // we failed before the command ran, as for env(1)
inline constexpr int cannot_execute = 126; // the command was found and cannot be executed
inline constexpr int not_found = 127;      // there is no such command (POSIX 2.8.2)
inline constexpr int signal_base = 128;    // + N: the command died of signal N

} // namespace ipcbox::exit_status
