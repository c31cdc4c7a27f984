// A keeper: a small process that only holds a token until another process, its owner, ends. A shell
// needs one for a critical section (sem-take --hold-for), because a token that is taken with
// SEM_UNDO comes back when its taker ends, and sem-take itself ends at once.
//
// The set says that a keeper holds a token (Lease::until_owner_ends). The name of the keeper,
// "hold:812", contains the owner, and everybody can see it in ps(1).
#pragma once

#include "sysv/holders.h"

#include <functional>
#include <span>

namespace ipcbox::sysv {

// Runs a function, reports what it throws, and returns an exit status (cli::guarded).
using Border = std::function<int(const std::function<int()>&)>;

// Starts a keeper for OWNER. In the new process, TAKE takes the token and returns an exit status,
// and BORDER lets no exception out. Returns that status, or that of the keeper if it dies before.
// With a status other than 0 there is no keeper. After a 0, the keeper stays until OWNER ends, in a
// session of its own, and keeps nothing else busy. Before that, it also ends when we end. Throws
// Error when OWNER does not exist.
[[nodiscard]] int start_keeper(pid_t owner, const Border& border, const std::function<int()>& take);

// The owner for which PROCESS is a keeper; 0 when it does not have the name of a keeper.
[[nodiscard]] pid_t owner_of_keeper(const ProcessInfo& process);

// Finds the keeper among HOLDERS that works for one of our ancestors, ends it, and waits until its
// token is back. False when there is none.
[[nodiscard]] bool end_keeper_of_ancestor(std::span<const TokenHolder> holders);

} // namespace ipcbox::sysv
