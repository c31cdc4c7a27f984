// The processes that hold the tokens of a set, according to the kernel: the last process that
// changed the semaphore of a token (semctl(2), GETPID). So there is no registry that could be out
// of date.
#pragma once

#include "core/process_info.h"
#include "sysv/semaphore.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ipcbox::sysv {

// How long a token stays taken.
enum class Lease {
    until_given,        // it is lent, and stays taken when its taker has ended
    until_process_ends, // SEM_UNDO: kept across execve(2), never across fork(2)
    until_owner_ends,   // the same, and the process is a keeper (sysv/keeper.h)
};

struct TokenHolder {
    pid_t pid = 0; // 0: of a PID namespace that we cannot look into (getpid(2))
    Lease lease = Lease::until_given;
    std::optional<ProcessInfo> process = {}; // nothing when it has ended or cannot be seen
    // How many processes share the token; 0 when one process has it alone. If it is shared, pid is
    // the last process that came or went.
    int sharers = 0;

    // "812 (backup.sh, root, 3m12s)", "812 (ended)", "3 processes that share it": for a keeper, the
    // process that it works for.
    [[nodiscard]] std::string text() const;
    // The process for which a keeper holds the token; 0 when no keeper holds it, or that cannot be
    // found out.
    [[nodiscard]] pid_t kept_for() const;
};

// The holder of SEMAPHORE, which is not zero.
[[nodiscard]] TokenHolder holder_of(const SemaphoreSet& set, int semaphore, Lease lease,
                                    int sharers = 0);

// Whether PID is this process or one of its ancestors.
[[nodiscard]] bool is_self_or_ancestor(pid_t pid);

// Whether to wait for HOLDER is to wait for ourselves: it holds its token until it ends, and is
// this process, one of its ancestors, or a keeper for one of these. False when that cannot be found
// out.
[[nodiscard]] bool is_ourselves(const TokenHolder& holder);

// The texts of all holders, with commas between them; "somebody" when there is none (any more).
[[nodiscard]] std::string text_of(std::span<const TokenHolder> holders);

} // namespace ipcbox::sysv
