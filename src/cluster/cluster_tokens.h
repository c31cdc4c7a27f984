// A token of a set that several machines share, from the first request to its return. It is a state
// machine: work() does what can be done without waiting, and the caller's loop waits for the
// client's descriptors, next_moment() and next_boot_time().
//
//     start()                          resume()
//        |                                |
//     queuing --> waiting --> inside  <---+        inside or waiting --> gone
//        |           |           |
//      busy        failed      give() --> given
//
// Each entry of the queue has its own lease. We keep the lease alive and also watch the entry: a
// server that was stalled can revoke leases although they are kept alive (etcd-io/etcd#12528,
// #15247).
#pragma once

#include "cluster/kept_lease.h"
#include "cluster/token_requests.h"
#include "cluster/token_watches.h"
#include "etcd/client.h"

#include <algorithm>
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
    Deadline first_answer = Deadline::never(); // by then a server has to have answered
};

// Where we stand in a queue: enough for another process to go on.
struct TokenPlace {
    OwnEntry entry{};
    etcd::Revision fence = 0; // 0: we wait
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

    ClusterTokens(etcd::Client& client, TokenWish wish);

    // Enters the queue, at its end; after `gone`, once more.
    void start();
    // Goes on where another process stopped. With Using::no, we are inside only after etcd has
    // shown that the entry is still there.
    enum class Using { no, yes };
    void resume(const TokenPlace& place, Using is_used);
    // Gives back the token, or the place in the queue; tries until the lease is over anyway.
    void give();

    void work();
    [[nodiscard]] Deadline next_moment() const { return std::min(retry_at_, rearm_at_); }
    [[nodiscard]] std::optional<BootTime> next_boot_time() const { return lease_.next_boot_time(); }

    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] TokenPlace place() const { return {entry_, fence_, lease_.times()}; }
    // Whether we were ever in the queue: from then on only the caller ends the wait.
    [[nodiscard]] bool was_queued() const { return was_queued_; }
    [[nodiscard]] const std::string& error() const { return error_; }
    // Whether we were never in the queue, and some member does not answer as it should.
    [[nodiscard]] bool is_unreachable() const {
        return !was_queued_ && !client_.problems().empty();
    }

    // Asks who is inside; holders() has the answer, soon or never.
    void ask_holders();
    [[nodiscard]] const std::optional<std::vector<TokenEntry>>& holders() const { return holders_; }
    // For the user, when start() follows `gone`.
    [[nodiscard]] std::string queued_again() const;
    // Why there was no token in time: those that holders() has, or no answer of any member.
    [[nodiscard]] std::string refusal() const;

  private:
    enum class Question { none, peek, grant, make_set, enqueue, look, confirm, verify, revoke };

    void ask(Question question);
    [[nodiscard]] etcd::CallId begin(Question question);
    void ask_again_later(Question question);
    void hear(const etcd::FinishedCall& call);
    void hear(const etcd::WatchEvent& event);
    void answered(Question question, const std::string& answer);
    void refused(Question question, const etcd::CallError& error);
    void peeked(const etcd::Transaction::Answer& answer);
    void granted(const etcd::LeaseGrant::Answer& answer);
    void enqueued(const etcd::Transaction::Answer& answer);
    void looked(const QueueLook& look);
    void confirmed(const etcd::Transaction::Answer& answer);
    void verified(const etcd::Range::Answer& answer);
    void be_queued();
    void learn_slots(const etcd::Range::Answer& slots);

    void own_armed();
    void look_soon();
    void rearm();
    void enter(etcd::Revision fence);
    void lose();
    void fail(std::string reason);
    [[nodiscard]] std::string key() const { return wish_.keys.entry(entry_.lease); }

    etcd::Client& client_;
    TokenWish wish_;
    KeptLease lease_;
    TokenWatches watches_;
    State state_ = State::queuing;
    OwnEntry entry_;
    etcd::Revision fence_ = 0;
    bool was_queued_ = false;
    std::int64_t slots_ = 0; // 0: not known yet
    etcd::Revision slots_revision_ = 0;
    std::string error_;

    Question question_ = Question::none;
    etcd::CallId call_ = 0;
    BootTime grant_sent_{};
    Question again_ = Question::none; // at retry_at_
    Deadline retry_at_ = Deadline::never();
    Deadline rearm_at_ = Deadline::never();
    bool look_again_ = false;     // something has changed since the look was sent
    bool has_missed_own_ = false; // our entry may have been deleted while nobody watched it
    etcd::Revision entering_ = 0; // the fence, until it is sure that our entry is watched

    etcd::CallId asked_holders_ = 0;
    std::optional<std::vector<TokenEntry>> holders_;
};

} // namespace ipcbox::cluster
