// A counting set: a semaphore set that hands out any number of tokens. Programs that take and give
// as in perlipc are safe on it.
//
//     0       door     2 for each of our takers and sharers, inside or waiting; 1 for a taker of
//                      the page
//     1       free     tokens that nobody has
//     2       slots    how many tokens there are
//     3       lent     tokens that stay taken until they are given
//     4-6              the label of the key (sysv/key.h), which tells the set from a stranger's
//     7       used     tokens that are taken
//     8       sharers  how many share the whole set, for which no token may be taken
//     9-29             the name of the key (sysv/set_name.h), so that others can show it
//     30...            one for each token: 0 free, 1 lent, 2 taken until its process ends, 3 kept
//                      until the owner of its keeper ends
//
// A program as in perlipc enters when the door is 0, so it is alone; and while the door is odd,
// none of our processes enters. Changes that belong to a process are made with SEM_UNDO, so the
// kernel takes them back however the process ends. The last process that changed the semaphore of a
// token is the one that has the token.
#pragma once

#include "sysv/holders.h"
#include "sysv/semaphore.h"
#include "sysv/set_name.h"

namespace ipcbox::sysv {

class CountingSet {
  public:
    explicit CountingSet(SemaphoreSet set) : set_(std::move(set)) {}

    static constexpr int max_slots = 16000; // two of the door's 32767 for each taker

    // How many semaphores a set is created with. A set of few slots has room to grow to 64.
    [[nodiscard]] static int semaphores_for(int slots);
    // Whether a set with these VALUES is a counting set of this label.
    [[nodiscard]] static bool has_label(std::span<const unsigned short> values,
                                        const Key::Label& label);
    // Whether a set with these VALUES looks like a counting set of any key; and the name that it
    // contains, which is empty for a number, a path, or a name that is too long. The label has to
    // prove that name.
    [[nodiscard]] static bool has_shape(std::span<const unsigned short> values);
    [[nodiscard]] static std::string name_in(std::span<const unsigned short> values);
    // The state of the tokens according to such VALUES. WAITING are our takers and sharers that are
    // past the door; those at the door wait for its zero (SemaphoreSet::waiting).
    struct State {
        int slots = 0;
        int taken = 0; // all of them while they are shared
        int waiting = 0;
    };
    [[nodiscard]] static State state_in(std::span<const unsigned short> values);
    // The process that created the set, according to the kernel; 0 for a process of another
    // namespace.
    [[nodiscard]] static pid_t creator_of(const SemaphoreSet& set);
    // Whether a set with these VALUES is as the kernel created it. The door is not considered: it
    // is open from the first moment on, and a program as in perlipc may be faster than the process
    // that creates the set.
    [[nodiscard]] static bool is_blank(std::span<const unsigned short> values);
    // Turns a blank set into a counting set, in one operation. If several processes do this at
    // once, only the first has an effect. Throws as operate() does.
    static void initialize(SemaphoreSet& set, int slots, const Key& key);

    [[nodiscard]] int slots() const;
    [[nodiscard]] int taken() const;
    [[nodiscard]] std::vector<TokenHolder> holders() const;

    // As TokenSet's.
    [[nodiscard]] bool take(Lease lease, Deadline deadline);
    [[nodiscard]] bool share(Deadline deadline);
    [[nodiscard]] bool give(Deadline deadline);
    [[nodiscard]] bool wait_until_free(Deadline deadline);
    [[nodiscard]] bool resize(int slots, Deadline deadline);

  private:
    [[nodiscard]] bool enter(Deadline deadline);
    void leave();
    [[nodiscard]] bool enter_and(std::span<const sembuf> operations, Deadline deadline);
    void claim_slot(Lease lease);
    void return_slot();

    SemaphoreSet set_;
};

} // namespace ipcbox::sysv
