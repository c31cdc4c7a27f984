#include "cluster/cluster_tokens.h"

#include "core/random.h"
#include "etcd/protobuf.h"

#include <fmt/core.h>
#include <utility>

namespace ipcbox::cluster {

namespace {

constexpr auto pause_before_retry = std::chrono::milliseconds{100};
constexpr auto answer_limit = std::chrono::seconds{10};

// Positive and below 2^62: servers before 3.4.20 cannot keep negative ids.
etcd::LeaseId random_lease() {
    constexpr unsigned unused_bits = 2;
    return static_cast<etcd::LeaseId>(RandomNumbers{}.next() >> unused_bits) | 1;
}

} // namespace

ClusterTokens::ClusterTokens(etcd::Client& client, TokenWish wish)
    : client_(client), wish_(std::move(wish)), lease_(client), watches_(client, wish_.keys) {}

void ClusterTokens::start() {
    watches_.drop_all();
    lease_.end();
    entry_ = {};
    fence_ = 0;
    entering_ = 0;
    has_missed_own_ = false;
    slots_ = wish_.slots.value_or(0);
    state_ = State::queuing;
    // Peek first if we do not know the number of slots: it tells how many entries to ask for.
    ask(wish_.must_be_free || slots_ == 0 ? Question::peek : Question::grant);
}

void ClusterTokens::resume(const TokenPlace& place, Using is_used) {
    entry_ = place.entry;
    slots_ = wish_.slots.value_or(1);
    has_missed_own_ = true;
    lease_.resume(entry_.lease, place.times);
    be_queued();
    watches_.watch_own(key());
    if (is_used == Using::yes) {
        fence_ = place.fence;
        state_ = State::inside;
        return;
    }
    state_ = State::waiting;
    entering_ = place.fence;
    if (entering_ == 0) ask(Question::look);
}

// Gives up a silent member sooner from now on, because a lease depends on it.
void ClusterTokens::be_queued() {
    // Even a distant server can answer and write to its disk in this time.
    constexpr Duration shortest_patience = std::chrono::milliseconds{250};
    was_queued_ = true;
    client_.set_patience(std::max(patience_of(lease_.times().ttl), shortest_patience));
}

void ClusterTokens::give() {
    if (state_ == State::giving || state_ == State::given) return;
    const bool is_granted = lease_.id() != 0;
    const bool may_exist = is_granted || client_.may_be_heard();
    const bool has_lease = entry_.lease != 0 && state_ != State::gone && may_exist;
    watches_.drop_all();
    lease_.end();
    rearm_at_ = Deadline::never();
    state_ = has_lease ? State::giving : State::given;
    // A request for the lease that has no answer yet could come after the revocation. Once the same
    // request has an answer, it cannot.
    ask(!has_lease ? Question::none : is_granted ? Question::revoke : Question::grant);
}

void ClusterTokens::ask(Question question) {
    if (call_ != 0) client_.abandon(call_);
    again_ = Question::none;
    retry_at_ = Deadline::never();
    look_again_ = false;
    question_ = question;
    call_ = begin(question);
}

etcd::CallId ClusterTokens::begin(Question question) {
    // Until we are in the queue, the user waits for an answer. Afterwards we keep our place, or
    // leave.
    const bool is_awaited = !was_queued_ && state_ != State::giving;
    const auto limit = is_awaited ? wish_.first_answer : Deadline::after(answer_limit);
    const auto& keys = wish_.keys;
    switch (question) {
    case Question::none:
        break;
    case Question::peek:
        return client_.start(peek_request(keys, slots_), limit);
    case Question::grant:
        grant_sent_ = BootClock::now();
        if (state_ != State::giving) {
            entry_.lease = random_lease();
            // Ask for the watch first. Both use one connection, so the watch is armed before the
            // entry exists.
            watches_.watch_own(key());
        }
        return client_.start(
            etcd::LeaseGrant{std::chrono::ceil<std::chrono::seconds>(wish_.ttl).count(),
                             entry_.lease},
            limit);
    case Question::make_set:
        return client_.start(make_set_request(keys, slots_), limit);
    case Question::enqueue:
        return client_.start(enqueue_request(keys, wish_.entry, entry_.lease, slots_), limit);
    case Question::look:
        return client_.start(look_request(keys, entry_, slots_), limit);
    case Question::confirm:
        return client_.start(confirm_request(keys, wish_.entry, entry_, slots_revision_), limit);
    case Question::verify:
        return client_.start(own_entry_request(keys, entry_.lease), limit);
    case Question::revoke:
        return client_.start(etcd::LeaseRevoke{entry_.lease}, limit);
    }
    return 0;
}

void ClusterTokens::ask_again_later(Question question) {
    again_ = question;
    retry_at_ = Deadline::after(pause_before_retry);
}

void ClusterTokens::ask_holders() {
    if (asked_holders_ != 0) client_.abandon(asked_holders_);
    holders_.reset();
    asked_holders_ = client_.start(holders_request(wish_.keys, std::max<std::int64_t>(slots_, 1)),
                                   Deadline::after(std::chrono::seconds{1}));
}

std::string ClusterTokens::queued_again() const {
    return fmt::format("lost the place in the queue of {}, since the lease is over: queued again "
                       "at the end",
                       wish_.keys.text());
}

std::string ClusterTokens::refusal() const {
    const auto& text = wish_.keys.text();
    if (holders_) return fmt::format("{} is taken by {}", text, names_of(*holders_));
    const auto problems = client_.problems();
    return fmt::format("cannot take from {}: no answer in time{}{}", text,
                       problems.empty() ? "" : ": ", problems);
}

void ClusterTokens::work() {
    client_.work();
    // Hear the events first: we must know that our watch is armed before the answer to the lease
    // lets us go on.
    while (const auto event = client_.next_event())
        hear(*event);
    while (const auto call = client_.next_finished())
        hear(*call);
    if (rearm_at_.passed()) rearm();
    if (retry_at_.passed()) ask(again_);
    lease_.keep_alive();
}

void ClusterTokens::hear(const etcd::FinishedCall& call) {
    if (lease_.hear(call) == KeptLease::Heard::is_over) return lose();
    if (call.id != call_ && call.id != asked_holders_) return;
    const auto question =
        call.id == call_ ? std::exchange(question_, Question::none) : Question::none;
    (call.id == call_ ? call_ : asked_holders_) = 0;
    try {
        if (question == Question::none) {
            if (!call.error) holders_ = entries_in(etcd::Range::Answer::decode(call.answer));
        } else if (call.error) {
            refused(question, *call.error);
        } else {
            answered(question, call.answer);
        }
    } catch (const etcd::MalformedMessage& error) {
        refused(question, {etcd::CallError::Kind::refused, error.what()});
    }
}

void ClusterTokens::refused(Question question, const etcd::CallError& error) {
    using Kind = etcd::CallError::Kind;
    if (question == Question::none) return;
    if (state_ == State::giving) {
        const auto& times = lease_.times();
        if (error.kind() == Kind::unavailable && BootClock::now() < times.renewed + times.ttl)
            return ask_again_later(question);
        // The lease is gone, or it will soon end by itself.
        state_ = State::given;
        return;
    }
    if (error.kind() == Kind::gone) return lose();
    if (error.kind() == Kind::unavailable && was_queued_) return ask_again_later(question);
    if (state_ == State::inside) return; // the keepalives show whether the lease lives
    fail(error.what());
}

void ClusterTokens::answered(Question question, const std::string& answer) {
    switch (question) {
    case Question::none:
        return;
    case Question::peek:
        return peeked(etcd::Transaction::Answer::decode(answer));
    case Question::grant:
        return granted(etcd::LeaseGrant::Answer::decode(answer));
    case Question::make_set:
        return ask(Question::enqueue); // even if another client made it first
    case Question::enqueue:
        return enqueued(etcd::Transaction::Answer::decode(answer));
    case Question::look:
        return looked(look_in(etcd::Transaction::Answer::decode(answer), key()));
    case Question::confirm:
        return confirmed(etcd::Transaction::Answer::decode(answer));
    case Question::verify:
        return verified(etcd::Range::Answer::decode(answer));
    case Question::revoke:
        state_ = State::given;
        return;
    }
}

} // namespace ipcbox::cluster
