// The watches of one place in a queue: on its own entry, and on those that it waits for. They have
// to be armed before the queue is looked at; then a look and what they tell leave no gap.
#pragma once

#include "cluster/token_keys.h"
#include "cluster/turn.h"
#include "etcd/client.h"

#include <map>
#include <string>

namespace ipcbox::cluster {

class TokenWatches {
  public:
    TokenWatches(etcd::Client& client, const TokenKeys& keys) : client_(client), keys_(keys) {}

    void watch_own(const std::string& key);
    // Watches those that TURN waits for, instead of the ones before.
    void watch_ahead(const Turn& turn);
    void drop_ahead();
    void drop_all();

    [[nodiscard]] bool has_own() const { return own_ != 0; }
    [[nodiscard]] bool is_own_armed() const { return is_own_armed_; }
    [[nodiscard]] bool has_ahead() const { return !ahead_.empty(); }
    // Whether all watches are armed, including that of our own entry.
    [[nodiscard]] bool are_armed() const;
    // Takes TURN over if the entries that it waits for are watched already; false otherwise.
    [[nodiscard]] bool cover(const Turn& turn);

    enum class Heard {
        nothing,
        own_armed,   // from now on own_deleted will come when it ends
        own_deleted, // the lease is over
        ahead_armed,
        let_in,   // the first waiter: one of those inside has left
        moved,    // something has changed: look again
        lost_own, // arm the watch again; others can be lost, too
        lost_ahead,
        denied, // we may not watch: the reason is in the event
    };
    // What EVENT means. Watches that are lost are dropped.
    [[nodiscard]] Heard hear(const etcd::WatchEvent& event);

  private:
    struct Target {
        bool is_slots = false;
        bool is_armed = false;
    };

    [[nodiscard]] Heard hear_own(const etcd::WatchEvent& event);
    [[nodiscard]] Heard hear_ahead(Target& target, const etcd::WatchEvent& event);
    [[nodiscard]] bool has_entered(const etcd::WatchEvent& event) const;

    etcd::Client& client_;
    const TokenKeys& keys_;
    etcd::WatchId own_ = 0;
    bool is_own_armed_ = false;
    Turn turn_;
    std::map<etcd::WatchId, Target> ahead_;
};

} // namespace ipcbox::cluster
