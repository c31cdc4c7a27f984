#include "sysv/survey.h"

#include "core/error.h"
#include "sysv/counting_set.h"
#include "sysv/plain_set.h"
#include "sysv/shared_memory.h"

#include <algorithm>
#include <fmt/core.h>
#include <stdexcept>

namespace ipcbox::sysv {

namespace {

using Does = User::Does;
using Values = std::vector<unsigned short>;

// The place of the label in a ring's set (sysv/ring.cpp).
constexpr std::size_t ring_semaphores = 8;
constexpr std::ptrdiff_t ring_label = 5;

bool is_plain(const Object& object) {
    return object.key != 0 && object.size == 1;
}

// The name of a counting set. Empty when the label does not prove the name.
std::string proven_name(const Object& object, const Values& values, const Key& key) {
    const bool is_proven =
        key.is_name() && key.value() == object.key && CountingSet::has_label(values, key.label());
    return is_proven ? key.text() : std::string{};
}

// The key that the set itself contains. Nothing when it contains none.
std::optional<Key> key_in(const Values& values) try {
    const auto name = CountingSet::name_in(values);
    return name.empty() ? std::nullopt : std::optional{Key::parse(name)};
} catch (const std::exception&) { // not one of our names
    return std::nullopt;
}

bool is_ring_of(const Values& values, const Key* key) {
    return key != nullptr && std::ranges::equal(values.begin() + ring_label, values.end(),
                                                key->label().begin(), key->label().end());
}

Does what_it_does(const TokenHolder& holder) {
    if (holder.sharers > 0) return Does::shares;
    return holder.lease == Lease::until_given ? Does::took : Does::holds;
}

} // namespace

Survey::Survey(KnownNames names) : names_(std::move(names)) {}

std::vector<Entry> Survey::look_at(const std::vector<Object>& objects) {
    presences_.clear();
    knows_processes_ = false;
    has_own_proc_ = has_own_proc();
    std::vector<Entry> entries;
    entries.reserve(objects.size());
    for (const auto& object : objects) {
        entries.emplace_back().object = object;
        if (!inspect(entries.back())) entries.pop_back();
    }
    add_users(entries);
    for (auto& entry : entries)
        judge(entry);
    return entries;
}

// False when the object is gone.
bool Survey::inspect(Entry& entry) {
    const auto& object = entry.object;
    switch (object.kind) {
    case Kind::semaphores:
        try {
            inspect_set(entry);
        } catch (const SetRemoved&) {
            return false;
        }
        return true;
    case Kind::memory:
        entry.creator_pid = object.creator;
        entry.creator = presence(object.creator, object.changed);
        entry.bytes = object.size;
        name_segment(entry);
        return true;
    case Kind::messages:
        entry.creator = presence_of_any({object.last, object.last_receiver}, object.used);
        return true;
    }
    return true;
}

void Survey::inspect_set(Entry& entry) try {
    const auto& object = entry.object;
    const auto set = SemaphoreSet::with_id(object.id, object.key_text());
    const auto values = set.values(object.size);
    if (values.size() == 1) entry.value = values[0];
    if (CountingSet::has_shape(values) || is_plain(object))
        return inspect_tokens(entry, set, values);
    if (values.size() == ring_semaphores)
        if (const auto* key = known_name(object.key); is_ring_of(values, key))
            entry.name = key->text();
    inspect_strange_set(entry, set, values);
} catch (const SysError& error) {
    if (error.error() != EACCES) throw;
    entry.is_readable = false;
}

void Survey::inspect_tokens(Entry& entry, const SemaphoreSet& set, const Values& values) {
    std::vector<TokenHolder> holders;
    if (CountingSet::has_shape(values)) {
        const auto state = CountingSet::state_in(values);
        auto key = key_in(values);
        if (const auto* known = key ? nullptr : known_name(entry.object.key)) key = *known;
        if (key) entry.name = proven_name(entry.object, values, *key);
        entry.slots = state.slots;
        entry.taken = state.taken;
        entry.waiting = state.waiting + (values[0] != 0 ? set.waiting(0, values[0]) : 0);
        entry.creator_pid = CountingSet::creator_of(set);
        entry.creator = presence(entry.creator_pid, entry.object.changed);
        if (state.taken > 0) holders = CountingSet{set}.holders();
    } else {
        entry.slots = 1;
        entry.taken = values[0] != 0 ? 1 : 0;
        entry.waiting = set.waiting(0, values[0]);
        entry.creator = presence_of_any({set.last_process(0)}, entry.object.last_change());
        if (entry.taken > 0) holders = PlainSet{set}.holders();
    }
    for (const auto& holder : holders) {
        const pid_t owner = has_own_proc_ ? holder.kept_for() : 0;
        auto one = user(what_it_does(holder), owner != 0 ? owner : holder.pid);
        if (has_own_proc_) one.text = holder.text();
        // If the holder has ended, another process may have its pid by now.
        if (!holder.process) one.process.reset();
        entry.users.push_back(std::move(one));
    }
}

// We do not know what the values of another program's set mean. But the kernel knows which
// processes changed them last, if any did.
void Survey::inspect_strange_set(Entry& entry, const SemaphoreSet& set, const Values& values) {
    const bool is_fresh = entry.object.used == 0 &&
                          std::ranges::all_of(values, [](auto value) { return value == 0; });
    std::vector<pid_t> pids;
    for (int semaphore = 0; semaphore < static_cast<int>(values.size()); ++semaphore) {
        entry.waiting += set.waiting(semaphore, values[static_cast<std::size_t>(semaphore)]);
        const pid_t pid = is_fresh ? 0 : set.last_process(semaphore);
        if (pid != 0 && std::ranges::find(pids, pid) == pids.end()) pids.push_back(pid);
    }
    entry.creator = presence_of_any(pids, entry.object.last_change());
}

const Key* Survey::known_name(key_t key) {
    if (key == 0) return nullptr;
    const auto* known = names_.find(key);
    if (known != nullptr || knows_processes_ || !has_own_proc_) return known;
    names_.add_processes();
    knows_processes_ = true;
    return names_.find(key);
}

void Survey::name_segment(Entry& entry) {
    const auto& object = entry.object;
    const auto* key = known_name(object.key);
    if (key == nullptr) return;
    try {
        const auto memory = SharedMemory::find(*key);
        if (!memory || memory->id() != object.id) return;
        entry.name = key->text();
        entry.bytes = memory->size();
    } catch (const Error&) { // NOLINT(bugprone-empty-catch): not ours, or unreadable
    }
}

void Survey::add_users(std::vector<Entry>& entries) {
    std::map<std::pair<Kind, int>, Entry*> by_id;
    std::vector<std::uint64_t> attached;
    bool somebody_may_wait = false;
    for (auto& entry : entries) {
        const auto& object = entry.object;
        const bool is_attached = object.kind == Kind::memory && object.count > 0;
        const bool may_wait = object.kind == Kind::messages || entry.waiting > 0;
        if (is_attached || may_wait) by_id.emplace(std::pair{object.kind, object.id}, &entry);
        if (is_attached)
            attached.insert(attached.end(), {static_cast<std::uint64_t>(object.id), object.count,
                                             static_cast<std::uint64_t>(object.used)});
        somebody_may_wait |= may_wait;
    }
    waiters_ = somebody_may_wait ? find_waiters() : Sight<Waiter>{};
    // Read the maps of all processes only if one has attached or detached, because it takes long.
    if (attached != attached_before_)
        attachers_ = attached.empty() ? Sight<Attacher>{} : find_attachers();
    attached_before_ = attached;

    const auto entry_of = [&](Kind kind, int id) {
        const auto found = by_id.find({kind, id});
        return found == by_id.end() ? nullptr : found->second;
    };
    std::map<Entry*, std::uint64_t> found;
    for (const auto& waiter : waiters_.users)
        if (auto* entry = entry_of(waiter.kind, waiter.id)) {
            entry->users.push_back(user(Does::waits, waiter.pid));
            ++found[entry];
        }
    for (const auto& attacher : attachers_.users)
        if (auto* entry = entry_of(Kind::memory, attacher.id)) {
            entry->users.push_back(user(Does::attached, attacher.pid));
            found[entry] += attacher.times;
        }
    for (const auto& [key, entry] : by_id) {
        const auto seen = found[entry];
        if (key.first == Kind::messages) {
            entry->waiting = static_cast<int>(seen);
            entry->may_have_more = !waiters_.is_complete;
            continue;
        }
        const auto all = key.first == Kind::memory ? entry->object.count
                                                   : static_cast<std::uint64_t>(entry->waiting);
        entry->unknown_users = all - std::min(all, seen);
    }
}

Presence Survey::presence(pid_t pid, std::time_t when) {
    const auto [place, is_new] = presences_.try_emplace({pid, when}, Presence::unknown);
    if (is_new) place->second = presence_of(pid, when);
    return place->second;
}

Presence Survey::presence_of_any(const std::vector<pid_t>& pids, std::time_t when) {
    auto all = Presence::unknown;
    bool is_doubtful = false;
    for (const pid_t pid : pids) {
        if (pid == 0) continue;
        const auto one = presence(pid, when);
        if (one == Presence::alive) return one;
        is_doubtful |= one == Presence::unknown;
        all = Presence::gone;
    }
    return is_doubtful ? Presence::unknown : all;
}

User Survey::user(Does does, pid_t pid) const {
    User one{does, pid, {}, {}};
    if (has_own_proc_ && pid > 0) one.process = find_process(pid);
    one.text = one.process ? one.process->text()
               : pid == 0  ? "a process of another namespace"
                           : fmt::format("{}", pid);
    return one;
}

} // namespace ipcbox::sysv
