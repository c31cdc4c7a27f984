// Tokens out of a System V semaphore set, by the protocol of the perlipc manual page: semaphore 0
// is the gate, 0 is free, taking is one atomic semop {wait for zero, +1}, giving is -1.
//
// A *plain* set is just that: one token. A *counting* set has room for more:
//
//     0  gate     2 for each of our takers, inside or waiting; 1 for a taker of the manual page
//     1  free     tokens that nobody has
//     2  slots    how many tokens there are
//     3  lent     tokens that stay taken until they are given
//     4-6         the label of the key (sysv_key.h), which tells the set from a stranger's
//     7…          one for each token: 0 free, 1 lent, 2 taken until its process ends
//
// A manual-page taker is safe on it: it enters when the gate is 0, so alone, and as long as the
// gate is odd none of ours enters. What depends on a process is done with SEM_UNDO, so the kernel
// gives it back however the process dies, and the last process to change a token's own semaphore
// (GETPID) is who has it: no registry that could go stale.
#pragma once

#include "core/process_info.h"
#include "sysv/semaphore.h"

#include <optional>
#include <vector>

namespace ipcbox::sysv {

// How long a token stays taken.
enum class Lease {
    until_given,        // it outlives its taker
    until_process_ends, // SEM_UNDO: also across execve(2), never across fork(2)
};

struct TokenHolder {
    pid_t pid;
    Lease lease;
    std::optional<ProcessInfo> process; // nothing when it has ended

    // "812 (backup.sh, root, 3m12s)" or "812 (ended)"; the process that it is kept for, not the
    // keeper.
    [[nodiscard]] std::string text() const;
    // The process for which a keeper has the token, 0 when no keeper has it.
    [[nodiscard]] pid_t kept_for() const;
};

// Makes us a keeper: a process that does nothing but hold a token until OWNER ends, and that can be
// killed to give it back. It shows in our name, so that everybody can see it.
void become_keeper(pid_t owner);

class TokenSet {
  public:
    // The key of the manual page.
    [[nodiscard]] static Key default_key() { return Key::parse("1234"); }

    static constexpr int most_slots = 16000; // two of the gate's 32767 for each taker

    // The existing set, nothing when there is none. Throws Error when a name's key is a stranger's.
    [[nodiscard]] static std::optional<TokenSet> find(const Key& key);

    // The set with this many tokens: made if it is missing, found if it has that shape. Throws
    // Error naming both shapes otherwise. Two processes may do this at once.
    [[nodiscard]] static TokenSet create(const Key& key, int slots, mode_t mode);

    [[nodiscard]] int id() const { return set_.id(); }
    [[nodiscard]] int slots() const;
    [[nodiscard]] int taken() const;

    // To be called before we take a token until we end, unless we are a keeper. The semaphore of a
    // plain set cannot say that its token is leased, so we do: with our name until we execute
    // another program, then with a variable in its environment.
    void announce_lease() const;

    // False when no token was free until the deadline.
    [[nodiscard]] bool take(Lease lease, Deadline deadline);
    // Gives a token that is lent; false when none was until the deadline. A plain set whose token
    // is leased is not waited for.
    [[nodiscard]] bool give(Deadline deadline);
    // False when more than SLOTS tokens were taken until the deadline.
    [[nodiscard]] bool resize(int slots, Deadline deadline);

    [[nodiscard]] std::vector<TokenHolder> holders() const;

  private:
    enum class Layout { plain, counting };

    TokenSet(SemaphoreSet set, Layout layout) : set_(std::move(set)), layout_(layout) {}

    [[nodiscard]] static std::optional<Layout> layout_of(const SemaphoreSet& set, const Key& key);
    [[nodiscard]] static TokenSet shaped(SemaphoreSet set, const Key& key, int slots, int wanted);
    [[nodiscard]] bool enter(Deadline deadline);
    void leave();
    void claim_slot(Lease lease);
    void return_slot();
    [[nodiscard]] bool says_it_has_lease(const ProcessInfo& process) const;
    [[nodiscard]] TokenHolder holder_of(int semaphore, unsigned value) const;

    SemaphoreSet set_;
    Layout layout_;
};

} // namespace ipcbox::sysv
