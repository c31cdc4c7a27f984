// A connection that passes through a process of ours on its way to its program: to have its
// transcript, or to notice its silence where the kernel does not tell of it (Unix sockets).
//
// That process is our own program, executed anew. A forked copy of the server could not do it: the
// server has threads, and a lock of the C library that one of them held at the fork would stay
// locked in the copy for ever.
#pragma once

#include "core/spawn.h"
#include "server/connection.h"

#include <functional>
#include <optional>
#include <span>
#include <string>

namespace ipcbox::server {

struct RelayPlan {
    std::string record_directory; // empty: no transcript
    std::optional<Duration> idle; // without a byte either way
    std::string applet;           // the name that our program is called by
};

// Throws Error when no transcript could be written in DIRECTORY: it is missing, full or somebody
// else's. For the start of the server, before it takes clients.
void check_record_directory(const std::string& directory);

// Starts the process for CONNECTION, whose socket is PLAN's input. PLAN is for the program, which
// that process starts; it has no descriptors of its own. Throws SysError when there is no process.
[[nodiscard]] Started start_relayed(const Connection& connection, const RelayPlan& relay,
                                    const std::string& program,
                                    std::span<const std::string> arguments, const SpawnPlan& plan);

// Whether these arguments of an applet are what start_relayed() gives, and not a user's.
[[nodiscard]] bool is_relay(std::span<char* const> arguments);

// What such a process does: standard input is the connection. It leads a process group in which the
// program is too, and returns the program's status, or dies of its signal. After too long a silence
// it tells SAY "ending PID (PEER): …" and ends the whole group: TERM, and KILL five seconds later.
//
// A transcript is the file TIME-PID in the directory: a line that says who the client was, and then
// for each piece of the conversation a line "> SECONDS BYTES" (from the client) or "< SECONDS
// BYTES" (to it), the bytes, and a line feed. A connection that has to be recorded does not happen
// unrecorded. Throws Error when the transcript cannot be written or the program cannot be started.
[[nodiscard]] int run_relay(std::span<char* const> arguments,
                            const std::function<void(const std::string&)>& say);

} // namespace ipcbox::server
