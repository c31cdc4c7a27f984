// Sets of tokens that several machines share, from outside: making, changing and removing them,
// looking at them, and giving back what was lent. All functions wait for etcd's answer, until their
// deadline; they throw etcd::CallError and MalformedMessage.
#pragma once

#include "cluster/token_entry.h"
#include "cluster/token_keys.h"
#include "etcd/client.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ipcbox::cluster {

// One place in the queue of a set.
struct QueuePlace {
    std::string key;
    etcd::Revision revision = 0; // places are in the order of it
    etcd::LeaseId lease = 0;     // 0: lent, until somebody gives it back
    TokenEntry entry;
};

struct TokenSetState {
    TokenKeys keys;
    std::optional<std::int64_t> slots{}; // nothing: there is no such set (any more)
    etcd::Revision slots_revision = 0;
    std::vector<QueuePlace> queue{};

    // How many of the queue are inside: at its front.
    [[nodiscard]] std::size_t taken() const;
};

[[nodiscard]] TokenSetState look_at_set(etcd::Client& client, const TokenKeys& keys,
                                        Deadline deadline);
// All sets whose keys begin with PREFIX, by name.
[[nodiscard]] std::vector<TokenSetState> look_at_sets(etcd::Client& client, std::string_view prefix,
                                                      Deadline deadline);

// Makes the set unless it is there. Throws Error when it has another number of slots.
void make_set(etcd::Client& client, const TokenKeys& keys, std::int64_t slots, Deadline deadline);

enum class Resized { done, missing, still_taken };
// Changes the number of slots. Fewer slots count for newcomers at once; then the call waits until
// enough of those that were inside have left. When WAIT is over first, the old number comes back.
// PATIENCE is for each answer of etcd.
[[nodiscard]] Resized resize_set(etcd::Client& client, const TokenKeys& keys, std::int64_t slots,
                                 Duration patience, Deadline wait);

enum class Removed { done, missing, in_use };
// Removes a set whose queue is empty.
[[nodiscard]] Removed remove_set(etcd::Client& client, const TokenKeys& keys, Deadline deadline);

enum class GivenBack { done, missing, nothing_lent };
// Gives back the token that was lent first.
[[nodiscard]] GivenBack give_back(etcd::Client& client, const TokenKeys& keys, Deadline deadline);
// Gives back the lent token whose entry was KEY, made at REVISION. False when it is back already.
[[nodiscard]] bool give_back(etcd::Client& client, const std::string& key, etcd::Revision revision,
                             Deadline deadline);

} // namespace ipcbox::cluster
