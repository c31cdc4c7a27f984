// Deadlocks: processes that wait for tokens that only processes of the same circle could give back.
#pragma once

#include "sysv/survey.h"

#include <vector>

namespace ipcbox::sysv {

// One that waits, in a circle of them.
struct Link {
    pid_t waiter = 0;
    const Entry* waits_for = nullptr;
    pid_t holder = 0; // of that: the next one's ancestor, or the next one itself
};

// Each circle once, beginning with its lowest pid. A process that cannot go on waits for a set all
// of whose holders cannot go on, or for its children, none of which can. A holder that may go on,
// that nobody can see, or whose token anybody could give, is no part of a deadlock.
[[nodiscard]] std::vector<std::vector<Link>> find_deadlocks(const std::vector<Entry>& entries,
                                                            const Sight<Waiter>& sight);

} // namespace ipcbox::sysv
