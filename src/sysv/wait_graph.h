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

// Each circle once, beginning with its lowest pid. A process cannot go on when it waits for a set
// whose holders all cannot go on, or for its children, none of which can. There is no deadlock
// where a holder may go on, where nobody can see a holder, or where anybody could give the token.
[[nodiscard]] std::vector<std::vector<Link>> find_deadlocks(const std::vector<Entry>& entries,
                                                            const Sight<Waiter>& sight);

} // namespace ipcbox::sysv
