#include "cluster/token_watches.h"

#include "cluster/token_entry.h"

#include <algorithm>

namespace ipcbox::cluster {

void TokenWatches::watch_own(const std::string& key) {
    if (own_ != 0) client_.unwatch(own_);
    is_own_armed_ = false;
    own_ = client_.watch({key, {}, etcd::Watch::Puts::left_out});
}

void TokenWatches::watch_ahead(const Turn& turn) {
    drop_ahead();
    turn_ = turn;
    if (turn.kind == Turn::Kind::first && turn.slots > 1)
        ahead_[client_.watch({keys_.queue(), keys_.queue_end(), etcd::Watch::Puts::left_out})] = {};
    else
        ahead_[client_.watch({turn.ahead.front(), {}, etcd::Watch::Puts::told})] = {};
    if (turn.kind == Turn::Kind::first || turn.slots == 1)
        ahead_[client_.watch({keys_.slots(), {}, etcd::Watch::Puts::told})].is_slots = true;
}

bool TokenWatches::cover(const Turn& turn) {
    if (!has_ahead() || !turn.watches_as(turn_)) return false;
    turn_ = turn;
    return true;
}

void TokenWatches::drop_ahead() {
    for (const auto& [watch, target] : ahead_)
        client_.unwatch(watch);
    ahead_.clear();
    turn_ = {};
}

void TokenWatches::drop_all() {
    drop_ahead();
    if (own_ != 0) client_.unwatch(own_);
    own_ = 0;
    is_own_armed_ = false;
}

bool TokenWatches::are_armed() const {
    return is_own_armed_ && has_ahead() &&
           std::ranges::all_of(ahead_, [](const auto& entry) { return entry.second.is_armed; });
}

TokenWatches::Heard TokenWatches::hear(const etcd::WatchEvent& event) {
    const bool is_lost = event.kind == etcd::WatchEvent::Kind::lost;
    if (own_ != 0 && event.watch == own_) {
        if (!is_lost) return hear_own(event);
        own_ = 0;
        is_own_armed_ = false;
        return event.is_denied ? Heard::denied : Heard::lost_own;
    }
    const auto found = ahead_.find(event.watch);
    if (found == ahead_.end()) return Heard::nothing;
    if (!is_lost) return hear_ahead(found->second, event);
    ahead_.erase(found);
    drop_ahead();
    return event.is_denied ? Heard::denied : Heard::lost_ahead;
}

TokenWatches::Heard TokenWatches::hear_own(const etcd::WatchEvent& event) {
    if (event.kind == etcd::WatchEvent::Kind::deleted) return Heard::own_deleted;
    if (event.kind != etcd::WatchEvent::Kind::created) return Heard::nothing;
    is_own_armed_ = true;
    return Heard::own_armed;
}

TokenWatches::Heard TokenWatches::hear_ahead(Target& target, const etcd::WatchEvent& event) {
    if (event.kind == etcd::WatchEvent::Kind::created) {
        target.is_armed = true;
        return Heard::ahead_armed;
    }
    if (target.is_slots) return Heard::moved;
    if (turn_.kind == Turn::Kind::behind) {
        if (!has_entered(event)) return Heard::moved;
        turn_.kind = Turn::Kind::first;
        return Heard::nothing;
    }
    // The client that has left may have been one behind us.
    const bool has_left = event.kind == etcd::WatchEvent::Kind::deleted;
    return has_left && turn_.waits_for(event.kv.key) ? Heard::let_in : Heard::nothing;
}

// Whether the entry right before ours has got the only token, so that it is now the first of all.
// The transaction that confirms an entry shows it (confirm_request), because it compares the number
// of slots. Two other changes prove nothing: one from before our look, which may belong to another
// number of slots, and that of an entry that becomes a lent one (it has no lease), which compares
// nothing.
bool TokenWatches::has_entered(const etcd::WatchEvent& event) const {
    if (turn_.slots != 1 || event.kind != etcd::WatchEvent::Kind::put) return false;
    if (event.kv.lease == 0 || event.kv.mod_revision <= turn_.slots_revision) return false;
    const auto entry = TokenEntry::parse(event.kv.value);
    return entry && entry->state == TokenEntry::State::held;
}

} // namespace ipcbox::cluster
