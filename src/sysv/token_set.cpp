#include "sysv/token_set.h"

#include "core/error.h"
#include "core/fd.h"
#include "core/io.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace ipcbox::sysv {

namespace {

// The semaphores of a counting set.
constexpr unsigned short gate = 0;
constexpr unsigned short free_tokens = 1;
constexpr unsigned short slot_count = 2;
constexpr unsigned short lent_tokens = 3;
constexpr unsigned short first_label = 4;
constexpr unsigned short first_slot = 7;

// So many slots can be had by resizing a set that was made with fewer.
constexpr int least_capacity = 64;

constexpr short our_weight = 2;
constexpr short slot_lent = 1;
constexpr short slot_leased = 2;

constexpr sembuf wait_for_zero(unsigned short semaphore, short flags = 0) {
    return {semaphore, 0, flags};
}
constexpr sembuf add(unsigned short semaphore, int amount, short flags = 0) {
    return {semaphore, static_cast<short>(amount), flags};
}

constexpr int count_for(int slots) {
    return first_slot + std::max(slots, least_capacity);
}

// Semaphores are numbered with 16 bits (semop(2)).
unsigned short count_of(std::span<const unsigned short> values) {
    return static_cast<unsigned short>(values.size());
}

bool has_label(std::span<const unsigned short> values, const Key::Label& label) {
    return values.size() > first_slot &&
           std::ranges::equal(values.subspan(first_label, label.size()), label);
}

// The set is still as the kernel made it; but the gate is open from the first moment, and a taker
// of the manual page may have been faster than who makes it.
bool is_blank(std::span<const unsigned short> values) {
    return std::ranges::all_of(values.subspan(gate + 1),
                               [](unsigned short value) { return value == 0; });
}

// One operation, so there is no moment at which the set is half made, and only the first of
// several creators has any effect. (Without it, sem_otime would have to be watched: semctl(2),
// which sets the values, is a step of its own.)
void initialize(SemaphoreSet& set, int slots, const Key::Label& label) {
    const std::array operations{
        wait_for_zero(slot_count, IPC_NOWAIT),
        add(slot_count, slots),
        add(free_tokens, slots),
        add(first_label, label[0]),
        add(first_label + 1, label[1]),
        add(first_label + 2, label[2]),
    };
    // Whether we or somebody else did it is seen in the result.
    set.operate(operations);
}

// Takes back a set that could not be made whole, unless somebody else did that or uses it.
void discard(SemaphoreSet& set) noexcept {
    try {
        if (is_blank(set.values())) set.remove();
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): what failed before is told
    }
}

std::string shape_text(int slots) {
    return fmt::format("{} {}", slots, slots == 1 ? "slot" : "slots");
}

// One variable for each set, because a command may have the tokens of several.
std::string lease_variable(int set) {
    return fmt::format("IPCBOX_LEASE_{}", set);
}

// Whether a process has ENTRY in its environment. One whose environment we must not see could, and
// so could one whose environment is empty: that is how it looks in the middle of execve(2).
bool may_have_variable(pid_t pid, const std::string& entry) try {
    constexpr std::size_t limit = 4UL * 1024 * 1024;
    const auto path = fmt::format("/proc/{}/environ", pid);
    const auto environment = read_to_end(open_file(path, O_RDONLY).get(), limit, path);
    for (std::string_view left = environment; !left.empty();) {
        const auto variable = left.substr(0, left.find('\0'));
        if (variable == entry) return true;
        left.remove_prefix(std::min(variable.size() + 1, left.size()));
    }
    return environment.empty();
} catch (const SysError& error) {
    return error.error() == EACCES || error.error() == EPERM;
}

// At most 15 bytes, like every process name.
constexpr const char* lease_name = "sem-take lease";
constexpr std::string_view keeper_prefix = "hold:";

} // namespace

void become_keeper(pid_t owner) {
    set_own_name(fmt::format("{}{}", keeper_prefix, owner));
}

std::string TokenHolder::text() const {
    if (const pid_t owner = kept_for(); owner != 0)
        if (const auto info = find_process(owner)) return info->text();
    if (process) return process->text();
    // getpid(2): a process of a PID namespace that we cannot look into.
    return pid != 0 ? fmt::format("{} (ended)", pid) : "a process of another namespace";
}

pid_t TokenHolder::kept_for() const {
    if (!process || !process->name.starts_with(keeper_prefix)) return 0;
    pid_t owner = 0;
    const auto digits = std::string_view{process->name}.substr(keeper_prefix.size());
    std::from_chars(digits.data(), digits.data() + digits.size(), owner);
    return owner;
}

std::optional<TokenSet::Layout> TokenSet::layout_of(const SemaphoreSet& set, const Key& key) {
    const auto values = set.values();
    if (has_label(values, key.label())) return Layout::counting;
    if (!key.is_name()) return Layout::plain;
    // Somebody is about to make it.
    if (values.size() >= count_for(1) && is_blank(values)) return std::nullopt;
    throw Error(fmt::format("cannot use {}: its key {:#x} belongs to another semaphore set (id {})",
                            key.text(), key.value(), set.id()));
}

std::optional<TokenSet> TokenSet::find(const Key& key) {
    auto set = SemaphoreSet::find(key);
    if (!set) return std::nullopt;
    const auto layout = layout_of(*set, key);
    if (!layout) return std::nullopt;
    return TokenSet{std::move(*set), *layout};
}

TokenSet TokenSet::create(const Key& key, int slots, mode_t mode) {
    const bool plain = slots == 1 && !key.is_name();
    const int wanted = plain ? 1 : count_for(slots);
    for (;;) {
        if (auto made = SemaphoreSet::create(key, wanted, mode)) {
            try {
                return shaped(*made, key, slots, wanted);
            } catch (...) {
                discard(*made);
                throw;
            }
        }
        if (auto found = SemaphoreSet::find(key)) return shaped(*found, key, slots, wanted);
        // It was there, and was removed before we looked.
    }
}

// A blank set, of at least WANTED semaphores, gets its tokens.
TokenSet TokenSet::shaped(SemaphoreSet set, const Key& key, int slots, int wanted) {
    const bool plain = wanted == 1;
    const int count = set.count();
    if (!plain && count >= wanted && is_blank(set.values())) initialize(set, slots, key.label());
    const auto layout = layout_of(set, key);
    if (!layout || (*layout == Layout::plain && count != 1))
        throw Error(
            fmt::format("cannot create {}: its key belongs to a set of {} semaphores (id {})",
                        key.text(), count, set.id()));
    TokenSet tokens{std::move(set), *layout};
    if (tokens.slots() != slots)
        throw Error(fmt::format("cannot create {} with {}: it has {}", key.text(),
                                shape_text(slots), shape_text(tokens.slots())));
    return tokens;
}

int TokenSet::slots() const {
    return layout_ == Layout::plain ? 1 : set_.values()[slot_count];
}

int TokenSet::taken() const {
    const auto values = set_.values();
    if (layout_ == Layout::plain) return values[gate];
    const auto taken = std::count_if(values.begin() + first_slot, values.end(),
                                     [](unsigned short value) { return value != 0; });
    return static_cast<int>(taken) + values[gate] % our_weight;
}

void TokenSet::announce_lease() const {
    if (layout_ != Layout::plain) return; // its slots tell
    set_own_name(lease_name);
    const auto pid = fmt::format("{}", ::getpid());
    if (::setenv(lease_variable(id()).c_str(), pid.c_str(), 1) < 0)
        throw SysError("announce", "a lease");
}

bool TokenSet::says_it_has_lease(const ProcessInfo& process) const {
    return process.name == lease_name ||
           may_have_variable(process.pid, fmt::format("{}={}", lease_variable(id()), process.pid));
}

bool TokenSet::take(Lease lease, Deadline deadline) {
    using enum SemaphoreSet::Outcome;
    if (layout_ == Layout::plain) {
        const short undo = lease == Lease::until_process_ends ? SEM_UNDO : 0;
        return set_.operate(std::array{wait_for_zero(gate), add(gate, 1, undo)}, deadline) == done;
    }
    if (!enter(deadline)) return false;
    if (set_.operate(std::array{add(free_tokens, -1, SEM_UNDO)}, deadline) == would_wait) {
        leave();
        return false;
    }
    claim_slot(lease);
    return true;
}

// NOWAIT, here and where a lent token is given: a give of the manual page that had no take of its
// own may have left less on the gate than our weight, and nobody must wait for the rest.
void TokenSet::leave() {
    set_.operate(std::array{add(gate, -our_weight, SEM_UNDO | IPC_NOWAIT)});
}

// Puts our weight on the gate, inside or waiting, unless a manual-page taker is inside: the gate is
// 0, or at least 2. A semop cannot say "or", so there are two; both fail at once only while the
// gate is odd, and then 0 is worth waiting for. Our weight stays while we wait for a token: so a
// gate that we found open cannot be closed by a manual-page taker meanwhile, and the wait for the
// token is one plain operation, which the kernel serves first come, first served.
bool TokenSet::enter(Deadline deadline) {
    using enum SemaphoreSet::Outcome;
    const std::array alone{wait_for_zero(gate, IPC_NOWAIT), add(gate, our_weight, SEM_UNDO)};
    const std::array beside{add(gate, -our_weight, IPC_NOWAIT), add(gate, our_weight),
                            add(gate, our_weight, SEM_UNDO)};
    for (;;) {
        if (set_.operate(alone) == done || set_.operate(beside) == done) return true;
        if (set_.operate(std::array{wait_for_zero(gate)}, deadline) == would_wait) return false;
    }
}

// Marks one of the slots as ours. We have one of the free tokens, so there is an unmarked one.
// A token that is to outlive us is taken out of our SEM_UNDO account in the same operation.
void TokenSet::claim_slot(Lease lease) {
    for (;;) {
        const auto values = set_.values();
        for (auto slot = first_slot; slot < count_of(values); ++slot) {
            if (values[slot] != 0) continue;
            const std::array leased{wait_for_zero(slot, IPC_NOWAIT),
                                    add(slot, slot_leased, SEM_UNDO)};
            const std::array lent{
                wait_for_zero(slot, IPC_NOWAIT),  add(slot, slot_lent), add(lent_tokens, 1),
                add(free_tokens, 1, SEM_UNDO),    add(free_tokens, -1), add(gate, our_weight),
                add(gate, -our_weight, SEM_UNDO),
            };
            const auto operations = lease == Lease::until_process_ends
                                        ? std::span<const sembuf>{leased}
                                        : std::span<const sembuf>{lent};
            if (set_.operate(operations) == SemaphoreSet::Outcome::done) return;
        }
    }
}

bool TokenSet::give(Deadline deadline) {
    using enum SemaphoreSet::Outcome;
    if (layout_ == Layout::plain) {
        // What the kernel is going to give back must not be given twice.
        const auto now = holders();
        if (!now.empty() && now.front().lease == Lease::until_process_ends) return false;
        return set_.operate(std::array{add(gate, -1)}, deadline) == done;
    }
    // A manual-page taker inside leaves the gate at exactly 1.
    if (set_.operate(std::array{add(gate, -1, IPC_NOWAIT), wait_for_zero(gate, IPC_NOWAIT)}) ==
        done)
        return true;
    // One of the lent tokens is ours to give from here on, so a lent slot will be found.
    if (set_.operate(std::array{add(lent_tokens, -1, SEM_UNDO)}, deadline) == would_wait)
        return false;
    return_slot();
    return true;
}

void TokenSet::return_slot() {
    for (;;) {
        const auto values = set_.values();
        for (auto slot = first_slot; slot < count_of(values); ++slot) {
            if (values[slot] != slot_lent) continue;
            const std::array operations{
                add(slot, -slot_lent, IPC_NOWAIT),
                wait_for_zero(slot, IPC_NOWAIT),
                add(free_tokens, 1),
                add(lent_tokens, 1, SEM_UNDO),
                add(lent_tokens, -1),
                add(gate, -our_weight, IPC_NOWAIT),
            };
            const bool has_weight = values[gate] >= our_weight;
            const auto possible = std::span{operations}.first(has_weight ? 6 : 5);
            if (set_.operate(possible) == SemaphoreSet::Outcome::done) return;
        }
    }
}

bool TokenSet::resize(int slots, Deadline deadline) {
    if (layout_ == Layout::plain) {
        if (slots == 1) return true;
        throw Error(fmt::format("cannot resize {}: it is a plain set of one semaphore; remove it "
                                "(ipcrm -s {}) and create it with -n {}",
                                set_.name(), set_.id(), slots));
    }
    if (const int capacity = set_.count() - first_slot; slots > capacity)
        throw Error(fmt::format("cannot resize {} to {}: it was made for at most {}", set_.name(),
                                shape_text(slots), capacity));
    for (;;) {
        const int now = this->slots();
        // The number of slots changes only if it is still what we saw.
        const std::array operations{
            add(slot_count, -now, IPC_NOWAIT),
            wait_for_zero(slot_count, IPC_NOWAIT),
            add(slot_count, slots),
            add(free_tokens, slots - now),
        };
        // An amount of 0 would mean "wait for zero".
        if (slots == now) return true;
        if (set_.operate(operations, deadline) == SemaphoreSet::Outcome::done) return true;
        if (this->slots() == now) return false;
    }
}

TokenHolder TokenSet::holder_of(int semaphore, unsigned value) const {
    TokenHolder holder{set_.last_process(semaphore), Lease::until_given, std::nullopt};
    holder.process = find_process(holder.pid);
    const bool leased =
        layout_ == Layout::counting
            ? value == slot_leased
            : holder.process && (holder.kept_for() != 0 || says_it_has_lease(*holder.process));
    if (leased) holder.lease = Lease::until_process_ends;
    // A process that is younger than what it is said to have done got the pid of another one. Both
    // times are rounded.
    else if (holder.process &&
             holder.process->started > set_.last_operation() + std::chrono::seconds{2})
        holder.process.reset();
    return holder;
}

std::vector<TokenHolder> TokenSet::holders() const {
    const auto values = set_.values();
    std::vector<TokenHolder> holders;
    if (layout_ == Layout::plain || values[gate] % our_weight != 0) {
        if (values[gate] != 0) holders.push_back(holder_of(gate, 0));
        if (layout_ == Layout::plain) return holders;
    }
    for (auto slot = first_slot; slot < count_of(values); ++slot)
        if (values[slot] != 0) holders.push_back(holder_of(slot, values[slot]));
    return holders;
}

} // namespace ipcbox::sysv
