// Deadlocks: processes that wait in a circle for tokens that only processes of that circle can give
// back.
#pragma once

#include "sysv/survey.h"

#include <vector>

namespace ipcbox::sysv {

// One process in such a circle.
struct Link {
    pid_t waiter = 0;
    const Entry* waits_for = nullptr;
    pid_t holder = 0; // the holder: the next waiter itself, or its ancestor
};

// Finds each circle once, beginning with its lowest pid. A process cannot go on if it waits for a
// set and none of the holders can go on, or if it waits for its children and none of them can. It
// is no deadlock if a holder may go on, if a holder cannot be seen, or if any process could give
// the token.
[[nodiscard]] std::vector<std::vector<Link>> find_deadlocks(const std::vector<Entry>& entries,
                                                            const Sight<Waiter>& sight);

} // namespace ipcbox::sysv
