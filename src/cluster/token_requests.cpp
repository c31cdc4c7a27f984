#include "cluster/token_requests.h"

#include <fmt/core.h>

namespace ipcbox::cluster {

namespace {

etcd::Range single(const std::string& key) {
    etcd::Range range;
    range.key = key;
    return range;
}

etcd::Range keys_of(etcd::Range range) {
    range.keys_only = true;
    return range;
}

etcd::Range youngest(const TokenKeys& keys, std::int64_t limit) {
    etcd::Range range = keys_of(holders_request(keys, limit));
    range.order = etcd::Range::Order::descending;
    return range;
}

QueueEntry entry_of(const etcd::KeyValue& kv) {
    return {kv.key, kv.create_revision};
}

// Writes our entry again, now with the state "held".
etcd::Operation put_held(const std::string& key, TokenEntry entry, etcd::LeaseId lease) {
    entry.state = TokenEntry::State::held;
    return etcd::Operation::put(key, entry.json(), lease);
}

// Where the results of a look are. We count from the end, because a transaction that also makes an
// entry has the result of that in front.
enum Result : std::size_t { before_result = 1, first_result, ours_result, slots_result };

const std::vector<etcd::KeyValue>& result_of(const etcd::Transaction::Answer& answer,
                                             Result which) {
    return answer.results[answer.results.size() - which].found;
}

std::vector<etcd::Operation> look_operations(const TokenKeys& keys, etcd::LeaseId lease,
                                             std::int64_t slots, const etcd::Range& before) {
    return {etcd::Operation::get(single(keys.slots())),
            etcd::Operation::get(own_entry_request(keys, lease)),
            etcd::Operation::get(keys_of(holders_request(keys, slots + 1))),
            etcd::Operation::get(before)};
}

} // namespace

etcd::Transaction peek_request(const TokenKeys& keys, std::int64_t slots) {
    constexpr std::int64_t max_named = 1000;
    etcd::Transaction peek;
    peek.success = {etcd::Operation::get(single(keys.slots())),
                    etcd::Operation::get(holders_request(keys, slots != 0 ? slots : max_named))};
    return peek;
}

etcd::Transaction make_set_request(const TokenKeys& keys, std::int64_t slots) {
    etcd::Transaction make;
    make.compares.push_back({keys.slots()});
    make.success = {etcd::Operation::put(keys.slots(), fmt::format("{}", slots), 0)};
    return make;
}

etcd::Transaction enqueue_request(const TokenKeys& keys, const TokenEntry& entry,
                                  etcd::LeaseId lease, std::int64_t slots) {
    etcd::Transaction request;
    request.compares.push_back({keys.slots(), etcd::Compare::Target::value,
                                etcd::Compare::Relation::equal, 0, fmt::format("{}", slots)});
    // The two youngest entries: ours, and the one right before it.
    request.success = look_operations(keys, lease, slots, youngest(keys, 2));
    request.success.insert(request.success.begin(),
                           etcd::Operation::put(keys.entry(lease), entry.json(), lease));
    request.failure = {etcd::Operation::get(single(keys.slots()))};
    return request;
}

etcd::Transaction look_request(const TokenKeys& keys, const OwnEntry& ours, std::int64_t slots) {
    etcd::Range before = youngest(keys, 1);
    before.max_create_revision = ours.revision - 1;
    etcd::Transaction look;
    look.success = look_operations(keys, ours.lease, slots, before);
    return look;
}

etcd::Transaction confirm_request(const TokenKeys& keys, const TokenEntry& entry,
                                  const OwnEntry& ours, etcd::Revision slots_revision) {
    const auto key = keys.entry(ours.lease);
    const auto equal = etcd::Compare::Relation::equal;
    etcd::Transaction confirm;
    confirm.compares = {{key, etcd::Compare::Target::create_revision, equal, ours.revision},
                        {keys.slots(), etcd::Compare::Target::mod_revision, equal, slots_revision}};
    confirm.success = {put_held(key, entry, ours.lease)};
    return confirm;
}

etcd::Transaction lend_request(const TokenKeys& keys, const TokenEntry& entry,
                               const OwnEntry& ours) {
    const auto key = keys.entry(ours.lease);
    return {{{key, etcd::Compare::Target::create_revision, etcd::Compare::Relation::equal,
              ours.revision}},
            {put_held(key, entry, 0)},
            {}};
}

etcd::Range own_entry_request(const TokenKeys& keys, etcd::LeaseId lease) {
    return keys_of(single(keys.entry(lease)));
}

etcd::Range holders_request(const TokenKeys& keys, std::int64_t slots) {
    etcd::Range range = single(keys.queue());
    range.range_end = keys.queue_end();
    range.limit = slots;
    range.order = etcd::Range::Order::ascending;
    return range;
}

QueueLook look_in(const etcd::Transaction::Answer& answer, std::string_view key) {
    QueueLook look;
    if (answer.results.size() < slots_result) return look;
    if (const auto& slots = result_of(answer, slots_result); !slots.empty()) {
        look.slots = slots.front().value;
        look.slots_revision = slots.front().mod_revision;
    }
    const auto& ours = result_of(answer, ours_result);
    if (ours.empty()) return look;
    look.has_ours = true;
    for (const auto& kv : result_of(answer, first_result))
        look.first.push_back(entry_of(kv));
    for (const auto& kv : result_of(answer, before_result))
        if (kv.key != key && kv.create_revision < ours.front().create_revision && !look.before_ours)
            look.before_ours = entry_of(kv);
    return look;
}

std::optional<Enqueued> enqueued_in(const etcd::Transaction::Answer& answer, std::string_view key) {
    Enqueued enqueued;
    enqueued.look = look_in(answer, key);
    if (!enqueued.look.has_ours) return std::nullopt;
    enqueued.revision = result_of(answer, ours_result).front().create_revision;
    return enqueued;
}

std::vector<TokenEntry> entries_in(const etcd::Range::Answer& range) {
    std::vector<TokenEntry> entries;
    for (const auto& kv : range.found)
        entries.push_back(TokenEntry::parse(kv.value).value_or(TokenEntry{}));
    return entries;
}

} // namespace ipcbox::cluster
