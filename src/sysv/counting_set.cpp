#include "sysv/counting_set.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>

namespace ipcbox::sysv {

namespace {

using enum SemaphoreSet::Outcome;

constexpr unsigned short door = 0;
constexpr unsigned short free_tokens = 1;
constexpr unsigned short slot_count = 2;
constexpr unsigned short lent_tokens = 3;
constexpr unsigned short first_label = 4;
constexpr unsigned short used_tokens = 7;
constexpr unsigned short sharers = 8;
constexpr unsigned short first_name = 9;
constexpr unsigned short first_slot = first_name + set_name_words;

constexpr int min_capacity = 64;

constexpr short our_weight = 2;

constexpr short slot_lent = 1;
constexpr short slot_held = 2;
constexpr short slot_kept = 3;

// The label that the set has. Sets of an older ipcbox, which had fewer semaphores before the slots,
// have another label.
Key::Label label_in_set(const Key::Label& label) {
    constexpr std::uint16_t layout = 3;
    return {label[0], label[1], static_cast<std::uint16_t>(label[2] ^ layout)};
}

Lease lease_of(unsigned short slot) {
    return slot == slot_lent   ? Lease::until_given
           : slot == slot_held ? Lease::until_process_ends
                               : Lease::until_owner_ends;
}

// Semaphores are numbered with 16 bits (semop(2)).
unsigned short count_of(std::span<const unsigned short> values) {
    return static_cast<unsigned short>(values.size());
}

} // namespace

int CountingSet::semaphores_for(int slots) {
    return first_slot + std::max(slots, min_capacity);
}

bool CountingSet::has_label(std::span<const unsigned short> values, const Key::Label& label) {
    return values.size() > first_slot &&
           std::ranges::equal(values.subspan(first_label, label.size()), label_in_set(label));
}

bool CountingSet::is_blank(std::span<const unsigned short> values) {
    return std::ranges::all_of(values.subspan(door + 1),
                               [](unsigned short value) { return value == 0; });
}

// Sets all values in one operation. semctl(2) would be a second step, and others would have to
// watch sem_otime until it is done.
void CountingSet::initialize(SemaphoreSet& set, int slots, const Key& key) {
    std::vector operations{
        wait_for_zero(slot_count, IPC_NOWAIT),
        add(slot_count, slots),
        add(free_tokens, slots),
    };
    unsigned short semaphore = first_label;
    for (const auto word : label_in_set(key.label()))
        operations.push_back(add(semaphore++, word));
    semaphore = first_name;
    for (const auto word : set_name_of(key.is_name() ? key.text() : std::string{}))
        operations.push_back(add(semaphore++, word));
    // This fails when another process has done it. The values are right in either case.
    set.operate(operations);
}

bool CountingSet::has_shape(std::span<const unsigned short> values) {
    return values.size() > first_slot && is_set_name(values.subspan(first_name, set_name_words));
}

std::string CountingSet::name_in(std::span<const unsigned short> values) {
    return text_of_set_name(values.subspan(first_name, set_name_words));
}

CountingSet::State CountingSet::state_in(std::span<const unsigned short> values) {
    State state{values[slot_count], 0, 0};
    const auto slots = values.subspan(first_slot);
    const auto used = std::ranges::count_if(slots, [](auto value) { return value != 0; });
    state.taken = values[sharers] != 0 ? values[slot_count]
                                       : static_cast<int>(used) + values[door] % our_weight;
    state.waiting = std::max(values[door] / our_weight - values[used_tokens] - values[sharers], 0);
    return state;
}

pid_t CountingSet::creator_of(const SemaphoreSet& set) {
    return set.last_process(first_name);
}

int CountingSet::slots() const {
    return set_.value(slot_count);
}

int CountingSet::taken() const {
    return state_in(set_.values()).taken;
}

// Puts our weight on the door, and leaves it there while we wait for a token. Waits while a taker
// of the manual page is inside, which makes the door odd. A semop cannot say "or", so there are
// two: one for a door that is 0, and one for a door of at least 2. Both fail only while the door is
// odd; then we wait for 0. Our weight keeps a taker of the manual page from closing the door behind
// us. So the wait for a token is one operation, and the kernel serves the waiters in their order.
bool CountingSet::enter(Deadline deadline) {
    const std::array alone{wait_for_zero(door, IPC_NOWAIT), add(door, our_weight, SEM_UNDO)};
    const std::array beside{add(door, -our_weight, IPC_NOWAIT), add(door, our_weight),
                            add(door, our_weight, SEM_UNDO)};
    for (;;) {
        if (set_.operate(alone) == done || set_.operate(beside) == done) return true;
        if (set_.operate(std::array{wait_for_zero(door)}, deadline) == would_wait) return false;
    }
}

// Uses NOWAIT, as the give of a lent token does. A give of the manual page without a take may have
// left less on the door than our weight, and we must not wait for the rest.
void CountingSet::leave() {
    set_.operate(std::array{add(door, -our_weight, SEM_UNDO | IPC_NOWAIT)});
}

// Enters and does OPERATIONS, or does nothing.
bool CountingSet::enter_and(std::span<const sembuf> operations, Deadline deadline) {
    if (!enter(deadline)) return false;
    if (set_.operate(operations, deadline) == done) return true;
    leave();
    return false;
}

bool CountingSet::take(Lease lease, Deadline deadline) {
    const std::array operations{wait_for_zero(sharers), add(free_tokens, -1, SEM_UNDO),
                                add(used_tokens, 1, SEM_UNDO)};
    if (!enter_and(operations, deadline)) return false;
    claim_slot(lease);
    return true;
}

bool CountingSet::share(Deadline deadline) {
    return enter_and(std::array{wait_for_zero(used_tokens), add(sharers, 1, SEM_UNDO)}, deadline);
}

// Marks one of the slots as ours. We have a free token, so a slot is unmarked. If the token must
// outlive us, the same operation takes it out of our SEM_UNDO account.
void CountingSet::claim_slot(Lease lease) {
    for (;;) {
        const auto values = set_.values();
        for (auto slot = first_slot; slot < count_of(values); ++slot) {
            if (values[slot] != 0) continue;
            const short mark = lease == Lease::until_process_ends ? slot_held : slot_kept;
            const std::array ours{wait_for_zero(slot, IPC_NOWAIT), add(slot, mark, SEM_UNDO)};
            const std::array lent{
                wait_for_zero(slot, IPC_NOWAIT),
                add(slot, slot_lent),
                add(lent_tokens, 1),
                add(free_tokens, 1, SEM_UNDO),
                add(free_tokens, -1),
                add(used_tokens, -1, SEM_UNDO),
                add(used_tokens, 1),
                add(door, our_weight),
                add(door, -our_weight, SEM_UNDO),
            };
            const auto operations = lease == Lease::until_given ? std::span<const sembuf>{lent}
                                                                : std::span<const sembuf>{ours};
            if (set_.operate(operations) == done) return;
        }
    }
}

bool CountingSet::give(Deadline deadline) {
    // A taker of the manual page inside leaves the door at exactly 1.
    if (set_.operate(std::array{add(door, -1, IPC_NOWAIT), wait_for_zero(door, IPC_NOWAIT)}) ==
        done)
        return true;
    // From here on, one of the lent tokens is ours to give, so some slot is lent.
    if (set_.operate(std::array{add(lent_tokens, -1, SEM_UNDO)}, deadline) == would_wait)
        return false;
    return_slot();
    return true;
}

void CountingSet::return_slot() {
    for (;;) {
        const auto values = set_.values();
        for (auto slot = first_slot; slot < count_of(values); ++slot) {
            if (values[slot] != slot_lent) continue;
            const std::array operations{
                add(slot, -slot_lent, IPC_NOWAIT),
                wait_for_zero(slot, IPC_NOWAIT),
                add(free_tokens, 1),
                add(used_tokens, -1),
                add(lent_tokens, 1, SEM_UNDO),
                add(lent_tokens, -1),
                add(door, -our_weight, IPC_NOWAIT),
            };
            const bool has_weight = values[door] >= our_weight;
            const auto possible =
                std::span{operations}.first(operations.size() - (has_weight ? 0 : 1));
            if (set_.operate(possible) == done) return;
        }
    }
}

// Each of our takers and sharers has its weight on the door, even if it still waits. So the set is
// free when the door is 0.
bool CountingSet::wait_until_free(Deadline deadline) {
    return set_.operate(std::array{wait_for_zero(door)}, deadline) == done;
}

bool CountingSet::resize(int slots, Deadline deadline) {
    if (const int capacity = set_.count() - first_slot; slots > capacity)
        throw Error(fmt::format("cannot resize {} to {} slots: it was made for at most {}",
                                set_.name(), slots, capacity));
    for (;;) {
        const int now = this->slots();
        // Return now, because an operation with an amount of 0 would mean "wait for zero".
        if (slots == now) return true;
        // Change the number of slots only if it is still the number that we saw.
        const std::array operations{
            add(slot_count, -now, IPC_NOWAIT),
            wait_for_zero(slot_count, IPC_NOWAIT),
            add(slot_count, slots),
            add(free_tokens, slots - now),
        };
        if (set_.operate(operations, deadline) == done) return true;
        if (this->slots() == now) return false;
    }
}

std::vector<TokenHolder> CountingSet::holders() const {
    const auto values = set_.values();
    std::vector<TokenHolder> holders;
    if (values[door] % our_weight != 0)
        holders.push_back(holder_of(set_, door, Lease::until_given));
    if (values[sharers] != 0)
        holders.push_back(holder_of(set_, sharers, Lease::until_process_ends, values[sharers]));
    for (auto slot = first_slot; slot < count_of(values); ++slot)
        if (values[slot] != 0) holders.push_back(holder_of(set_, slot, lease_of(values[slot])));
    return holders;
}

} // namespace ipcbox::sysv
