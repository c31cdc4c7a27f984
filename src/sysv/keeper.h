// A keeper: a small process that does nothing but hold a token until another process, its owner,
// ends. A shell has one for a critical section (sem-take --hold-for), since a token that is taken
// with SEM_UNDO comes back when its taker ends, and sem-take itself ends at once.
//
// The set says that a token is a keeper's (Lease::until_owner_ends). The owner stands in the
// keeper's name, "hold:812", which everybody can see in ps(1).
#pragma once

#include "sysv/holders.h"

#include <functional>
#include <span>

namespace ipcbox::sysv {

// Runs what it is given; reports what that throws, and returns an exit status (cli::guarded).
using Border = std::function<int(const std::function<int()>&)>;

// Starts a keeper for OWNER. In the new process TAKE takes the token and returns an exit status;
// BORDER lets no exception out of that process. Returns that status, or that of the keeper if it
// dies before: then there is no keeper. After a 0 the keeper stays until OWNER ends, in a session
// of its own, and keeps nothing else busy. Until then it also ends with us. Throws Error when OWNER
// does not exist.
[[nodiscard]] int start_keeper(pid_t owner, const Border& border, const std::function<int()>& take);

// The owner of the keeper that PROCESS is; 0 when its name is not a keeper's.
[[nodiscard]] pid_t owner_of_keeper(const ProcessInfo& process);

// Ends the keeper among HOLDERS that works for one of our ancestors, and waits until its token is
// back. False when there is none.
[[nodiscard]] bool end_keeper_of_ancestor(std::span<const TokenHolder> holders);

} // namespace ipcbox::sysv
