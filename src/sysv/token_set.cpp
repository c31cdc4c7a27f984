#include "sysv/token_set.h"

#include "core/counted.h"

#include <fmt/core.h>

namespace ipcbox::sysv {

namespace {

std::string shape_text(int slots) {
    return counted(static_cast<std::uint64_t>(slots), "slot");
}

bool is_for_plain_set(const Key& key, int slots) {
    return slots == 1 && !key.is_name();
}

// Removes a set that we could not complete, unless another process has completed it or uses it. If
// the mode of the set keeps us from reading it, it was never completed.
void discard(SemaphoreSet& set) noexcept {
    try {
        bool is_ours = true;
        try {
            is_ours = CountingSet::is_blank(set.values());
        } catch (const SysError& error) {
            if (error.error() != EACCES) throw;
        }
        if (is_ours) set.remove();
    } catch (const std::exception&) { // NOLINT(bugprone-empty-catch): the first error is reported
    }
}

} // namespace

// Nothing while another process is still making the set.
std::optional<TokenSet> TokenSet::recognize(const SemaphoreSet& set, const Key& key) {
    const auto values = set.values();
    if (CountingSet::has_label(values, key.label())) return TokenSet{set.id(), CountingSet{set}};
    if (!key.is_name()) return TokenSet{set.id(), PlainSet{set}};
    const auto min_count = static_cast<std::size_t>(CountingSet::semaphores_for(1));
    if (values.size() >= min_count && CountingSet::is_blank(values)) return std::nullopt;
    throw Error(fmt::format("cannot use {}: its key {:#x} belongs to another semaphore set (id {})",
                            key.text(), key.value(), set.id()));
}

std::optional<TokenSet> TokenSet::find(const Key& key) {
    const auto set = SemaphoreSet::find(key);
    return set ? recognize(*set, key) : std::nullopt;
}

TokenSet TokenSet::create(const Key& key, int slots, mode_t mode) {
    const int count = is_for_plain_set(key, slots) ? 1 : CountingSet::semaphores_for(slots);
    for (;;) {
        if (auto made = SemaphoreSet::create(key, count, mode)) {
            try {
                auto tokens = shaped(*made, key, slots);
                tokens.origin_ = Origin::made;
                return tokens;
            } catch (...) {
                discard(*made);
                throw;
            }
        }
        if (auto found = SemaphoreSet::find(key)) return shaped(*std::move(found), key, slots);
        // The set existed, but was removed before we looked.
    }
}

// Gives a blank set its tokens first.
TokenSet TokenSet::shaped(SemaphoreSet set, const Key& key, int slots) {
    const int count = set.count();
    const bool is_plain = is_for_plain_set(key, slots);
    if (!is_plain && count >= CountingSet::semaphores_for(slots) &&
        CountingSet::is_blank(set.values()))
        CountingSet::initialize(set, slots, key);
    auto tokens = recognize(set, key);
    if (!tokens || (std::holds_alternative<PlainSet>(tokens->kind_) && count != 1))
        throw Error(
            fmt::format("cannot create {}: its key belongs to a set of {} semaphores (id {})",
                        key.text(), count, set.id()));
    if (tokens->slots() != slots)
        throw Error(fmt::format("cannot create {} with {}: it has {}", key.text(),
                                shape_text(slots), shape_text(tokens->slots())));
    return *std::move(tokens);
}

int TokenSet::slots() const {
    return std::visit([](const auto& set) { return set.slots(); }, kind_);
}

int TokenSet::taken() const {
    return std::visit([](const auto& set) { return set.taken(); }, kind_);
}

std::vector<TokenHolder> TokenSet::holders() const {
    return std::visit([](const auto& set) { return set.holders(); }, kind_);
}

bool TokenSet::take(Lease lease, Deadline deadline) {
    return std::visit([&](auto& set) { return set.take(lease, deadline); }, kind_);
}

bool TokenSet::share(Deadline deadline) {
    return std::visit([&](auto& set) { return set.share(deadline); }, kind_);
}

bool TokenSet::give(Deadline deadline) {
    return std::visit([&](auto& set) { return set.give(deadline); }, kind_);
}

bool TokenSet::wait_until_free(Deadline deadline) {
    return std::visit([&](auto& set) { return set.wait_until_free(deadline); }, kind_);
}

bool TokenSet::resize(int slots, Deadline deadline) {
    return std::visit([&](auto& set) { return set.resize(slots, deadline); }, kind_);
}

} // namespace ipcbox::sysv
