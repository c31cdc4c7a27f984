#include "cluster/token_sets.h"

#include "cluster/token_requests.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::cluster {

namespace {

using Target = etcd::Compare::Target;
constexpr auto equal = etcd::Compare::Relation::equal;

QueuePlace place_of(const etcd::KeyValue& kv) {
    return {kv.key, kv.create_revision, kv.lease,
            TokenEntry::parse(kv.value).value_or(TokenEntry{})};
}

void add(TokenSetState& set, const etcd::KeyValue& kv) {
    if (kv.key != set.keys.slots()) return set.queue.push_back(place_of(kv));
    set.slots = parse_slots(kv.value);
    set.slots_revision = kv.mod_revision;
}

// Changes the number of slots to SLOTS, unless it has changed since REVISION. Returns the new
// revision.
std::optional<etcd::Revision> set_slots(etcd::Client& client, const TokenKeys& keys,
                                        std::int64_t slots, etcd::Revision revision,
                                        Deadline deadline) {
    const etcd::Transaction change{
        {{keys.slots(), Target::mod_revision, equal, revision}},
        {etcd::Operation::put(keys.slots(), fmt::format("{}", slots), 0)},
        {}};
    const auto answer = client.call(change, deadline);
    if (!answer.succeeded) return std::nullopt;
    return answer.revision;
}

// Waits until at most LIMIT of the places in INSIDE are left. False when WAIT is over first.
bool wait_for_room(etcd::Client& client, const TokenKeys& keys, std::vector<QueuePlace> inside,
                   std::size_t limit, Duration patience, Deadline wait) {
    // Watch before each look, so that we hear everything that happens afterwards.
    const auto arm = [&] {
        return client.watch({keys.queue(), keys.queue_end(), etcd::Watch::Puts::left_out});
    };
    for (auto watch = arm();;) {
        const auto event = client.wait_event(wait);
        if (event && event->watch == watch && event->kind == etcd::WatchEvent::Kind::lost)
            watch = arm();
        const auto now = look_at_set(client, keys, Deadline::after(patience)).queue;
        std::erase_if(inside, [&now](const QueuePlace& place) {
            return std::ranges::find(now, place.key, &QueuePlace::key) == now.end();
        });
        const bool has_room = inside.size() <= limit;
        if (!has_room && event) continue;
        client.unwatch(watch);
        return has_room;
    }
}

} // namespace

std::size_t TokenSetState::taken() const {
    return std::min(queue.size(), static_cast<std::size_t>(slots.value_or(0)));
}

TokenSetState look_at_set(etcd::Client& client, const TokenKeys& keys, Deadline deadline) {
    TokenSetState set{keys};
    etcd::Range slots;
    slots.key = keys.slots();
    const auto answer = client.call(
        etcd::Transaction{
            {}, {etcd::Operation::get(slots), etcd::Operation::get(holders_request(keys, 0))}, {}},
        deadline);
    for (const auto& result : answer.results)
        for (const auto& kv : result.found)
            add(set, kv);
    return set;
}

std::vector<TokenSetState> look_at_sets(etcd::Client& client, std::string_view prefix,
                                        Deadline deadline) {
    constexpr std::int64_t page = 1000; // an answer has at most 4 MiB
    std::vector<TokenSetState> sets;
    etcd::Range range{std::string{prefix}, etcd::end_of_prefix(prefix), page};
    for (bool has_more = true; has_more;) {
        const auto answer = client.call(range, deadline);
        for (const auto& kv : answer.found) {
            const auto keys = TokenKeys::of_key(kv.key, prefix);
            if (!keys) continue;
            if (sets.empty() || sets.back().keys.slots() != keys->slots()) sets.push_back({*keys});
            add(sets.back(), kv);
        }
        has_more = answer.more && !answer.found.empty();
        if (has_more) range.key = answer.found.back().key + '\0';
    }
    for (auto& set : sets)
        std::ranges::sort(set.queue, {}, &QueuePlace::revision);
    return sets;
}

void make_set(etcd::Client& client, const TokenKeys& keys, std::int64_t slots, Deadline deadline) {
    (void)client.call(make_set_request(keys, slots), deadline);
    const auto set = look_at_set(client, keys, deadline);
    if (set.slots && *set.slots != slots)
        throw Error(fmt::format("cannot make {} with {} slots: it has {} (--resize changes that)",
                                keys.text(), slots, *set.slots));
}

Resized resize_set(etcd::Client& client, const TokenKeys& keys, std::int64_t slots,
                   Duration patience, Deadline wait) {
    const auto soon = [patience] { return Deadline::after(patience); };
    for (;;) {
        const auto old = look_at_set(client, keys, soon());
        if (!old.slots) return Resized::missing;
        if (*old.slots == slots) return Resized::done;
        const auto changed = set_slots(client, keys, slots, old.slots_revision, soon());
        if (!changed) continue; // another client was faster
        if (slots > *old.slots) return Resized::done;
        // Look again: a client may have taken a token between our look and the change.
        auto inside = look_at_set(client, keys, soon()).queue;
        inside.resize(std::min(inside.size(), static_cast<std::size_t>(*old.slots)));
        const auto limit = static_cast<std::size_t>(slots);
        if (inside.size() <= limit) return Resized::done;
        if (wait_for_room(client, keys, std::move(inside), limit, patience, wait))
            return Resized::done;
        (void)set_slots(client, keys, *old.slots, *changed, soon());
        return Resized::still_taken;
    }
}

Removed remove_set(etcd::Client& client, const TokenKeys& keys, Deadline deadline) {
    etcd::Compare is_empty{keys.queue()};
    is_empty.range_end = keys.queue_end();
    const etcd::Transaction removal{{is_empty}, {etcd::Operation::remove(keys.slots())}, {}};
    const auto call = client.finish(client.start(removal, deadline));
    const auto answer = etcd::Transaction::Answer::decode(call.answer);
    if (!answer.succeeded) return Removed::in_use;
    const auto has_removed = [](const etcd::Range::Answer& result) { return result.count > 0; };
    const bool was_there = call.was_repeated || std::ranges::any_of(answer.results, has_removed);
    return was_there ? Removed::done : Removed::missing;
}

GivenBack give_back(etcd::Client& client, const TokenKeys& keys, Deadline deadline) {
    for (;;) {
        const auto set = look_at_set(client, keys, deadline);
        if (!set.slots) return GivenBack::missing;
        const auto lent = std::ranges::find(set.queue, etcd::LeaseId{0}, &QueuePlace::lease);
        if (lent == set.queue.end()) return GivenBack::nothing_lent;
        if (give_back(client, lent->key, lent->revision, deadline)) return GivenBack::done;
    }
}

bool give_back(etcd::Client& client, const std::string& key, etcd::Revision revision,
               Deadline deadline) {
    const etcd::Transaction removal{
        {{key, Target::create_revision, equal, revision}}, {etcd::Operation::remove(key)}, {}};
    const auto call = client.finish(client.start(removal, deadline));
    // If the client repeated the request, an earlier attempt has probably done it, and its answer
    // was lost.
    return etcd::Transaction::Answer::decode(call.answer).succeeded || call.was_repeated;
}

} // namespace ipcbox::cluster
