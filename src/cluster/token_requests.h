// The requests to etcd about the tokens of a set, and what the answers mean. All requests are safe
// to repeat: an entry is found by the number of its lease, which we choose.
#pragma once

#include "cluster/token_entry.h"
#include "cluster/token_keys.h"
#include "cluster/turn.h"
#include "etcd/messages.h"

#include <optional>
#include <vector>

namespace ipcbox::cluster {

// Where an entry of ours stands.
struct OwnEntry {
    etcd::LeaseId lease = 0;
    etcd::Revision revision = 0; // its create_revision
};

// The set's number of slots, then the oldest entries with their values: SLOTS of them, or, when
// SLOTS is 0, as many as a message to the user would name.
[[nodiscard]] etcd::Transaction peek_request(const TokenKeys& keys, std::int64_t slots);
// Makes the set, if it is missing.
[[nodiscard]] etcd::Transaction make_set_request(const TokenKeys& keys, std::int64_t slots);
// Puts an entry at the end of the queue if the set has SLOTS slots, and looks.
[[nodiscard]] etcd::Transaction enqueue_request(const TokenKeys& keys, const TokenEntry& entry,
                                                etcd::LeaseId lease, std::int64_t slots);
[[nodiscard]] etcd::Transaction look_request(const TokenKeys& keys, const OwnEntry& ours,
                                             std::int64_t slots);
// Proves that the entry is still there and the slots are those of SLOTS_REVISION, wakes the one
// behind us, and has a revision that rises in the order in which tokens are taken.
[[nodiscard]] etcd::Transaction confirm_request(const TokenKeys& keys, const TokenEntry& entry,
                                                const OwnEntry& ours,
                                                etcd::Revision slots_revision);
// Puts our entry, which is inside, anew without its lease: no end of the lease deletes it then.
[[nodiscard]] etcd::Transaction lend_request(const TokenKeys& keys, const TokenEntry& entry,
                                             const OwnEntry& ours);
// Our own entry.
[[nodiscard]] etcd::Range own_entry_request(const TokenKeys& keys, etcd::LeaseId lease);
// The entries that are inside.
[[nodiscard]] etcd::Range holders_request(const TokenKeys& keys, std::int64_t slots);

// What the answer to look_request() shows; KEY is that of our entry.
[[nodiscard]] QueueLook look_in(const etcd::Transaction::Answer& answer, std::string_view key);

// What a successful answer to enqueue_request() shows; nothing when it makes no sense.
struct Enqueued {
    etcd::Revision revision = 0; // of our entry
    QueueLook look;
};
[[nodiscard]] std::optional<Enqueued> enqueued_in(const etcd::Transaction::Answer& answer,
                                                  std::string_view key);

// The values of entries; an empty entry for one that makes no sense.
[[nodiscard]] std::vector<TokenEntry> entries_in(const etcd::Range::Answer& range);

} // namespace ipcbox::cluster
