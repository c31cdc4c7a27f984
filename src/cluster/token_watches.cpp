#include "cluster/token_watches.h"

#include <algorithm>

namespace ipcbox::cluster {

void TokenWatches::watch_own(const std::string& key) {
    if (own_ != 0) client_.unwatch(own_);
    is_own_armed_ = false;
    own_ = client_.watch({key, {}, Watch::Puts::left_out});
}

void TokenWatches::watch_ahead(const Turn& turn) {
    drop_ahead();
    turn_ = turn;
    if (turn.kind == Turn::Kind::first) {
        ahead_[client_.watch({keys_.queue(), keys_.queue_end(), Watch::Puts::left_out})] = {};
        ahead_[client_.watch({keys_.slots(), {}, Watch::Puts::told})].is_slots = true;
    } else {
        ahead_[client_.watch({turn.ahead.front(), {}, Watch::Puts::told})] = {};
    }
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

TokenWatches::Heard TokenWatches::hear(const WatchEvent& event) {
    const bool is_lost = event.kind == WatchEvent::Kind::lost;
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

TokenWatches::Heard TokenWatches::hear_own(const WatchEvent& event) {
    if (event.kind == WatchEvent::Kind::deleted) return Heard::own_deleted;
    if (event.kind != WatchEvent::Kind::created) return Heard::nothing;
    is_own_armed_ = true;
    return Heard::own_armed;
}

TokenWatches::Heard TokenWatches::hear_ahead(Target& target, const WatchEvent& event) {
    if (event.kind == WatchEvent::Kind::created) {
        target.is_armed = true;
        return Heard::ahead_armed;
    }
    if (turn_.kind != Turn::Kind::first || target.is_slots) return Heard::moved;
    // Somebody behind us may have left, too.
    return turn_.waits_for(event.kv.key) ? Heard::let_in : Heard::nothing;
}

} // namespace ipcbox::cluster
