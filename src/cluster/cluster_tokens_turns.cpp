// The part of ClusterTokens that acts on answers and events.
#include "cluster/cluster_tokens.h"
#include "core/counted.h"

#include <fmt/core.h>
#include <utility>

namespace ipcbox::cluster {

namespace {

using Heard = TokenWatches::Heard;

constexpr auto pause_before_rearming = std::chrono::milliseconds{100};
constexpr const char* no_sense = "the server's answer makes no sense";

} // namespace

void ClusterTokens::peeked(const etcd::Transaction::Answer& answer) {
    constexpr std::size_t wanted = 2;
    if (answer.results.size() < wanted) return fail(no_sense);
    const auto& slots = answer.results[0].found;
    if (slots.empty() && wish_.slots) return ask(Question::grant);
    std::optional<std::int64_t> number;
    if (!slots.empty()) number = parse_slots(slots.front().value);
    const auto& queue = answer.results[1];
    if (wish_.must_be_free && number && std::ssize(queue.found) >= *number &&
        wish_.slots.value_or(*number) == *number) {
        holders_ = entries_in(queue);
        holders_->resize(static_cast<std::size_t>(*number));
        state_ = State::busy;
        return;
    }
    learn_slots(answer.results[0]);
}

// Takes the number of slots from the answer. If the set is missing, makes it or fails.
void ClusterTokens::learn_slots(const etcd::Range::Answer& slots) {
    const auto& text = wish_.keys.text();
    if (slots.found.empty()) {
        if (wish_.slots) return ask(Question::make_set);
        return fail(fmt::format("there is no set {} (make it with -j SLOTS)", text));
    }
    const auto number = parse_slots(slots.found.front().value);
    if (!number)
        return fail(fmt::format("{} has no number of slots in {}", text, wish_.keys.slots()));
    if (wish_.slots && *wish_.slots != *number)
        return fail(fmt::format("{} has {}, not {}", text,
                                counted(static_cast<std::uint64_t>(*number), "slot"),
                                *wish_.slots));
    slots_ = *number;
    ask(entry_.lease == 0 ? Question::grant : Question::enqueue);
}

void ClusterTokens::granted(const etcd::LeaseGrant::Answer& answer) {
    if (state_ == State::giving) return ask(Question::revoke);
    if (answer.ttl_s <= 0) return fail(no_sense);
    lease_.begin(entry_.lease, {grant_sent_, std::chrono::seconds{answer.ttl_s}});
    ask(Question::enqueue);
}

void ClusterTokens::enqueued(const etcd::Transaction::Answer& answer) {
    if (!answer.succeeded)
        return learn_slots(answer.results.empty() ? etcd::Range::Answer{} : answer.results[0]);
    const auto enqueued = enqueued_in(answer, key());
    if (!enqueued) return fail(no_sense);
    entry_.revision = enqueued->revision;
    be_queued();
    slots_revision_ = enqueued->look.slots_revision;
    state_ = State::waiting;
    const auto turn = judge(enqueued->look, key(), entry_.revision, slots_);
    if (turn.kind == Turn::Kind::inside) return enter(answer.revision);
    if (turn.ahead.empty()) return fail(no_sense);
    if (wish_.must_be_free)
        state_ = State::busy; // another client was faster
    else
        watches_.watch_ahead(turn);
}

void ClusterTokens::looked(const QueueLook& look) {
    if (look_again_) return ask(Question::look);
    if (watches_.is_own_armed()) has_missed_own_ = false;
    slots_revision_ = look.slots_revision;
    const auto turn = judge(look, key(), entry_.revision, slots_);
    switch (turn.kind) {
    case Turn::Kind::inside:
        return ask(Question::confirm);
    case Turn::Kind::gone:
        return lose();
    case Turn::Kind::no_set:
        return fail(fmt::format("{} was removed", wish_.keys.text()));
    case Turn::Kind::slots_differ:
        slots_ = parse_slots(*look.slots).value_or(0);
        if (slots_ != 0) return ask(Question::look);
        return fail(
            fmt::format("{} has no number of slots in {}", wish_.keys.text(), wish_.keys.slots()));
    case Turn::Kind::first:
    case Turn::Kind::behind:
        if (!watches_.cover(turn)) watches_.watch_ahead(turn);
    }
}

void ClusterTokens::confirmed(const etcd::Transaction::Answer& answer) {
    if (answer.succeeded) return enter(answer.revision);
    ask(Question::look);
}

void ClusterTokens::verified(const etcd::Range::Answer& answer) {
    if (answer.found.empty()) return lose();
    has_missed_own_ = false;
    if (entering_ != 0) enter(entering_);
}

void ClusterTokens::hear(const etcd::WatchEvent& event) {
    switch (watches_.hear(event)) {
    case Heard::nothing:
        return;
    case Heard::own_armed:
        return own_armed();
    case Heard::own_deleted:
        return lose();
    case Heard::let_in:
        watches_.drop_ahead();
        return ask(Question::confirm);
    case Heard::moved:
        return look_soon();
    case Heard::ahead_armed:
        return watches_.are_armed() ? look_soon() : void();
    case Heard::lost_own:
        has_missed_own_ = true;
        break;
    case Heard::lost_ahead:
        break;
    case Heard::denied:
        if (state_ != State::inside) return fail(event.reason);
        has_missed_own_ = true;
    }
    rearm_at_ = Deadline::after(pause_before_rearming);
}

void ClusterTokens::own_armed() {
    has_missed_own_ |= question_ == Question::enqueue || entry_.revision != 0;
    if (entering_ != 0) return enter(entering_);
    if (state_ == State::inside && has_missed_own_) return ask(Question::verify);
    if (watches_.are_armed()) look_soon();
}

// A look may be under way. The change can be older or younger than it, so look again.
void ClusterTokens::look_soon() {
    if (state_ != State::waiting) return;
    if (question_ == Question::look)
        look_again_ = true;
    else if (question_ == Question::none && again_ == Question::none)
        ask(Question::look);
}

void ClusterTokens::rearm() {
    rearm_at_ = Deadline::never();
    if (state_ != State::waiting && state_ != State::inside && state_ != State::queuing) return;
    if (!watches_.has_own() && entry_.lease != 0) watches_.watch_own(key());
    if (state_ == State::waiting && !watches_.has_ahead() && entering_ == 0) ask(Question::look);
}

void ClusterTokens::enter(etcd::Revision fence) {
    entering_ = fence;
    if (!watches_.is_own_armed()) return;
    if (has_missed_own_) return ask(Question::verify);
    watches_.drop_ahead();
    fence_ = std::exchange(entering_, 0);
    state_ = State::inside;
}

void ClusterTokens::lose() {
    if (state_ == State::giving || state_ == State::given) return;
    ask(Question::none);
    watches_.drop_all();
    lease_.end();
    state_ = State::gone;
}

void ClusterTokens::fail(std::string reason) {
    ask(Question::none);
    error_ = std::move(reason);
    state_ = State::failed;
}

} // namespace ipcbox::cluster
