// Passes a connection through a process of ours on its way to its program. That process writes a
// transcript, or notices silence where the kernel does not report it (Unix sockets).
//
// That process is our own program, executed again. A forked copy of the server could not do it: the
// server has threads, and a lock of the C library that one of them held at the fork would stay
// locked in the copy forever.
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

// Throws Error when no transcript can be written in DIRECTORY, because it is missing, full or
// belongs to another user. A server calls this at its start, before it takes clients.
void check_record_directory(const std::string& directory);

// Starts the process for CONNECTION, whose socket is PLAN's input. PLAN is for the program, which
// that process starts; it has no descriptors of its own. Throws SysError when there is no process.
[[nodiscard]] Started start_relayed(const Connection& connection, const RelayPlan& relay,
                                    const std::string& program,
                                    std::span<const std::string> arguments, const SpawnPlan& plan);

// Whether start_relayed() made these arguments of an applet, and not a user.
[[nodiscard]] bool is_relay(std::span<char* const> arguments);

// The work of such a process, whose standard input is the connection. It leads the process group to
// which the program belongs, and returns the program's status or dies of its signal. After too long
// a silence it calls SAY with "ending PID (PEER): …" and ends the whole group: TERM, and KILL five
// seconds later.
//
// A transcript is the file TIME-PID in the directory: a line that names the client, and then for
// each piece of the conversation a line "> SECONDS BYTES" (from the client) or "< SECONDS BYTES"
// (to it), the bytes, and a line feed. Throws Error when the transcript cannot be written or the
// program cannot be started: no connection goes on unrecorded that should be recorded.
[[nodiscard]] int run_relay(std::span<char* const> arguments,
                            const std::function<void(const std::string&)>& say);

} // namespace ipcbox::server
