// A connection that passes through a process of ours on its way to its program: to have its
// transcript, or its silence noticed where the kernel does not tell of it (Unix sockets).
#pragma once

#include "core/spawn.h"
#include "server/connection.h"

#include <optional>
#include <string>

namespace ipcbox::server {

struct SessionPlan {
    std::string record_directory; // empty: no transcript
    std::optional<Duration> idle; // without a byte either way
};

// Serves CONNECTION in a forked child: the leader of a process group in which the program is too.
// It ends as the program does, or with status 124 after too long a silence, with 1 when the
// transcript cannot be written: what has to be recorded is not to happen unrecorded. PLAN has no
// descriptors of its own. Throws SysError when there could be no child.
//
// A transcript is the file TIME-PID in the directory: a line that says who it was, and then for
// each piece of the conversation a line "> SECONDS BYTES" (from the client) or "< SECONDS BYTES"
// (to it), the bytes, and a line feed.
[[nodiscard]] Started start_session(const Fd& client, const Connection& connection,
                                    const SessionPlan& session, const std::string& program,
                                    std::span<const std::string> arguments, const SpawnPlan& plan);

} // namespace ipcbox::server
