// A plain set: one token in one semaphore, as in perlipc. Any program that follows the protocol of
// that page can share it with us.
//
// The semaphore's value says how the token is taken:
//
//     0           free: every taker, the manual page's and ours, waits for this
//     1           lent: by a taker of the manual page, or by us without a command; a give takes 1
//     3, 6        held until a process ends: the taker itself (3), or the one a keeper works for
//     (6) 16, 32, …   shared, 16 for each that shares it
//
// A value that belongs to a process is added with SEM_UNDO, so the kernel subtracts it however the
// process ends. The steps are wide because a program as in perlipc gives without looking: if it
// gives while the token is held, 3 becomes 2, which still means held.
#pragma once

#include "sysv/holders.h"
#include "sysv/semaphore.h"

namespace ipcbox::sysv {

class PlainSet {
  public:
    explicit PlainSet(SemaphoreSet set) : set_(std::move(set)) {}

    [[nodiscard]] int slots() const { return 1; }
    [[nodiscard]] int taken() const;
    [[nodiscard]] std::vector<TokenHolder> holders() const;

    // As TokenSet's.
    [[nodiscard]] bool take(Lease lease, Deadline deadline);
    [[nodiscard]] bool share(Deadline deadline);
    [[nodiscard]] bool give(Deadline deadline);
    [[nodiscard]] bool wait_until_free(Deadline deadline);
    // Throws Error for any number except 1.
    [[nodiscard]] bool resize(int slots, Deadline deadline);

  private:
    SemaphoreSet set_;
};

} // namespace ipcbox::sysv
