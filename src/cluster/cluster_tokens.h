// A token of a set that several machines share, from the first question to its return. It is a
// state machine: work() does what can be done without waiting, and the caller's loop waits for the
// client's descriptors, next_moment() and next_boot_time().
//
//     start()                          resume()
//        |                                |
//     queuing --> waiting --> inside  <---+        inside or waiting --> gone
//        |           |           |
//      busy        failed      give() --> given
//
// An entry of the queue lives by a lease of its own, whose number we choose, so that every request
// can be repeated. From the first request on the lease is kept alive and the entry is watched: a
// server that was stalled can take leases away that are kept alive. Watches are armed before the
// queue is looked at, so that no change is missed (turn.h says who watches whom).
#pragma once

#include "cluster/etcd_client.h"
#include "cluster/lease_times.h"
#include "cluster/token_entry.h"
#include "cluster/token_keys.h"
#include "cluster/turn.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace ipcbox::cluster {

struct TokenWish {
    TokenKeys keys;
    TokenEntry entry;
    std::optional<std::int64_t> slots{}; // make the set with them if it is missing (-j)
    Duration ttl = default_ttl;
    bool must_be_free = false; // look first, and write nothing when the set is full (-n)
    Deadline first_answer = Deadline::never(); // until which a server has to answer
};

// Where we stand in a queue: enough for another process to go on.
struct TokenPlace {
    LeaseId lease = 0;
    Revision revision = 0;  // the create_revision of the entry
    std::int64_t fence = 0; // 0: we wait
    LeaseTimes times{};
};

class ClusterTokens {
  public:
    enum class State {
        queuing, // no entry yet, or nothing is known about it
        waiting,
        inside,
        busy,   // must_be_free, and it is not
        gone,   // the lease is over, and with it our place
        failed, // error() says why
        giving,
        given,
    };

    ClusterTokens(EtcdClient& client, TokenWish wish);

    // Enters the queue, at its end. After `gone` once more.
    void start();
    // Goes on where another process stopped. A token that is not in use yet is looked at first.
    enum class Using { no, yes };
    void resume(const TokenPlace& place, Using is_used);
    // Gives the token back, or the place in the queue, until the lease is over anyway.
    void give();

    void work();
    [[nodiscard]] Deadline next_moment() const { return std::min(retry_at_, rearm_at_); }
    [[nodiscard]] std::optional<BootTime> next_boot_time() const;

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] const TokenPlace& place() const { return place_; }
    // We were in the queue once: from then on only the caller ends the wait.
    [[nodiscard]] bool was_queued() const { return was_queued_; }
    [[nodiscard]] const std::string& error() const { return error_; }

    // Asks who is inside, or was; the answer comes with holders(), soon or not at all.
    void ask_holders();
    [[nodiscard]] const std::optional<std::vector<TokenEntry>>& holders() const { return holders_; }

  private:
    enum class Question { none, peek, grant, make_set, enqueue, look, confirm, verify, revoke };
    struct Target {
        bool is_slots = false;
        bool is_armed = false;
    };

    void ask(Question question);
    void ask_again_later(Question question);
    void finished(FinishedCall call);
    void answered(Question question, const std::string& answer);
    void refused(Question question, const EtcdError& error);
    void peeked(const Transaction::Answer& answer);
    void enqueued(const Transaction::Answer& answer);
    void looked(const Transaction::Answer& answer);
    void learn_slots(const Range::Answer& slots);
    void kept_alive(FinishedCall call);
    void keep_alive_if_due();

    void decide(const QueueLook& look);
    void arm(const Turn& turn);
    void watch_own();
    void unwatch_targets();
    void rearm();
    void happened(const WatchEvent& event);
    void happened_to_target(const WatchEvent& event);
    void lost_watch(const WatchEvent& event);
    void look_if_armed();
    void enter(Revision fence);
    void lose();
    void fail(std::string reason);

    [[nodiscard]] Transaction enqueue_request() const;
    [[nodiscard]] Transaction look_request() const;

    EtcdClient& client_;
    TokenWish wish_;
    State state_ = State::queuing;
    TokenPlace place_;
    bool was_queued_ = false;
    std::string key_;        // of our entry
    std::int64_t slots_ = 0; // 0: not known yet
    Revision slots_revision_ = 0;
    std::string error_;

    Question question_ = Question::none;
    CallId call_ = 0;
    Question again_ = Question::none; // at retry_at_
    Deadline retry_at_ = Deadline::never();
    bool look_again_ = false;

    CallId keepalive_ = 0;
    BootTime keepalive_sent_{};
    BootTime next_keepalive_{};
    CallId asked_holders_ = 0;
    std::optional<std::vector<TokenEntry>> holders_;

    Deadline rearm_at_ = Deadline::never();
    WatchId own_ = 0; // 0: to be armed at rearm_at_
    bool is_own_armed_ = false;
    bool has_missed_own_ = false; // changes before the watch was armed
    Turn turn_;
    std::map<WatchId, Target> targets_; // empty while waiting: to be armed at rearm_at_
    Revision entering_ = 0;             // the fence, while we wait for our own watch
};

// What the answer to a look, or to entering the queue, shows. Its results are: slots, our entry,
// the oldest entries, the youngest ones that may be before ours.
[[nodiscard]] QueueLook look_in(const std::vector<Range::Answer>& results, std::string_view key);

} // namespace ipcbox::cluster
