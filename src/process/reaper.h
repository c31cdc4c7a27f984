// Children that have ended, with the facts that /proc has about them until they are waited for:
// waitid(2).
#pragma once

#include "core/wait_status.h"

#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace ipcbox::process {

struct EndedChild {
    pid_t pid = 0;
    std::string name;   // what ps calls COMMAND; empty when /proc does not tell
    double seconds = 0; // that it lived
    WaitStatus status = WaitStatus::exited(0);
};

// Waits for a child that has ended; nothing when none has (yet). Throws SysError.
[[nodiscard]] std::optional<EndedChild> reap_ended_child();

// The signal that stopped the child PID, reported once; nothing when none did. Throws SysError.
[[nodiscard]] std::optional<int> stop_signal_of(pid_t pid);

// A process that has ended and that its parent has not waited for.
struct Zombie {
    pid_t pid = 0;
    std::string name;
    pid_t parent = 0;
    std::string parent_name;
};
// All zombies of the machine, as far as /proc shows them, by ascending pid.
[[nodiscard]] std::vector<Zombie> all_zombies();

} // namespace ipcbox::process
