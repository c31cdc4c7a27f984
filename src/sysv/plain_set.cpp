#include "sysv/plain_set.h"

#include <array>
#include <fmt/core.h>

namespace ipcbox::sysv {

namespace {

using enum SemaphoreSet::Outcome;

constexpr unsigned short token = 0;

constexpr int lent = 1;
constexpr int held = 3;
constexpr int kept = 6;
constexpr int shared = 16;

// The lease that a value means. Gives of the manual page may have made the value smaller.
Lease lease_of(int value) {
    if (value <= lent) return Lease::until_given;
    if (value <= held || value > kept) return Lease::until_process_ends;
    return Lease::until_owner_ends;
}

} // namespace

int PlainSet::taken() const {
    return set_.value(token) != 0 ? 1 : 0;
}

bool PlainSet::take(Lease lease, Deadline deadline) {
    const int weight = lease == Lease::until_given          ? lent
                       : lease == Lease::until_process_ends ? held
                                                            : kept;
    const short undo = lease == Lease::until_given ? 0 : SEM_UNDO;
    return set_.operate(std::array{wait_for_zero(token), add(token, weight, undo)}, deadline) ==
           done;
}

// A semop cannot say "free, or shared", so two of them are tried. Both fail only while the token is
// lent or held. Then wait for zero.
bool PlainSet::share(Deadline deadline) {
    const std::array alone{wait_for_zero(token, IPC_NOWAIT), add(token, shared, SEM_UNDO)};
    const std::array beside{add(token, -shared, IPC_NOWAIT), add(token, shared),
                            add(token, shared, SEM_UNDO)};
    for (;;) {
        if (set_.operate(alone) == done || set_.operate(beside) == done) return true;
        if (set_.operate(std::array{wait_for_zero(token)}, deadline) == would_wait) return false;
    }
}

// Waits while the token is free. Fails at once unless the token is lent, because the value has to
// be zero after the subtraction. The kernel takes a held token back from a process that ends; then
// we wait again.
bool PlainSet::give(Deadline deadline) {
    const std::array give_lent{add(token, -lent), wait_for_zero(token, IPC_NOWAIT)};
    for (;;) {
        if (set_.operate(give_lent, deadline) == done) return true;
        if (deadline.passed()) return false;
        if (!wait_until_free(deadline)) return false;
    }
}

bool PlainSet::wait_until_free(Deadline deadline) {
    return set_.operate(std::array{wait_for_zero(token)}, deadline) == done;
}

bool PlainSet::resize(int slots, Deadline /*deadline*/) {
    if (slots == 1) return true;
    throw Error(fmt::format("cannot resize {}: it is a plain set of one semaphore; remove it "
                            "(ipc-remove sem:{}) and create it with -n {}",
                            set_.name(), set_.id(), slots));
}

std::vector<TokenHolder> PlainSet::holders() const {
    const int value = set_.value(token);
    if (value == 0) return {};
    const int sharers = value > kept ? (value + shared - 1) / shared : 0;
    return {holder_of(set_, token, lease_of(value), sharers)};
}

} // namespace ipcbox::sysv
