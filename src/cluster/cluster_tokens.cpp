#include "cluster/cluster_tokens.h"

#include "cluster/protobuf.h"
#include "core/random.h"

#include <fmt/core.h>
#include <utility>

namespace ipcbox::cluster {

namespace {

constexpr auto pause_before_retry = std::chrono::milliseconds{100};
constexpr auto answer_limit = std::chrono::seconds{10};

// Positive, below 2^62: servers before 3.4.20 cannot keep negative ones.
LeaseId random_lease() {
    constexpr unsigned unused_bits = 2;
    return static_cast<LeaseId>(RandomNumbers{}.next() >> unused_bits) | 1;
}

Range single(const std::string& key) {
    Range range;
    range.key = key;
    return range;
}

Range oldest(const TokenKeys& keys, std::int64_t limit) {
    Range range = single(keys.queue());
    range.range_end = keys.queue_end();
    range.limit = limit;
    range.order = Range::Order::ascending;
    return range;
}

Range youngest(const TokenKeys& keys, std::int64_t limit) {
    Range range = oldest(keys, limit);
    range.order = Range::Order::descending;
    range.keys_only = true;
    return range;
}

QueueEntry entry_of(const KeyValue& kv) {
    return {kv.key, kv.create_revision};
}

std::vector<TokenEntry> entries_in(const Range::Answer& range) {
    std::vector<TokenEntry> entries;
    for (const auto& kv : range.found)
        entries.push_back(TokenEntry::parse(kv.value).value_or(TokenEntry{}));
    return entries;
}

std::int64_t whole_seconds(Duration duration) {
    return std::chrono::ceil<std::chrono::seconds>(duration).count();
}

} // namespace

QueueLook look_in(const std::vector<Range::Answer>& results, std::string_view key) {
    constexpr std::size_t wanted = 4;
    QueueLook look;
    if (results.size() < wanted) return look;
    const auto& slots = results[results.size() - wanted].found;
    const auto& ours = results[results.size() - wanted + 1].found;
    const auto& first = results[results.size() - wanted + 2].found;
    const auto& last = results[results.size() - wanted + 3].found;
    if (!slots.empty()) {
        look.slots = slots.front().value;
        look.slots_revision = slots.front().mod_revision;
    }
    if (ours.empty()) return look;
    look.has_ours = true;
    const auto our_revision = ours.front().create_revision;
    for (const auto& kv : first)
        look.first.push_back(entry_of(kv));
    for (const auto& kv : last)
        if (kv.key != key && kv.create_revision < our_revision) {
            look.before_ours = entry_of(kv);
            break;
        }
    return look;
}

ClusterTokens::ClusterTokens(EtcdClient& client, TokenWish wish)
    : client_(client), wish_(std::move(wish)) {
    place_.times.ttl = wish_.ttl;
}

void ClusterTokens::start() {
    const auto ttl = place_.times.ttl;
    unwatch_targets();
    if (own_ != 0) client_.unwatch(own_);
    own_ = 0;
    place_ = {};
    place_.times.ttl = ttl;
    slots_ = wish_.slots.value_or(0);
    state_ = State::queuing;
    entering_ = 0;
    has_missed_own_ = false;
    // The number of slots is needed to say how far to look.
    ask(wish_.must_be_free || slots_ == 0 ? Question::peek : Question::grant);
}

void ClusterTokens::resume(const TokenPlace& place, Using is_used) {
    place_ = place;
    was_queued_ = true;
    key_ = wish_.keys.entry(place.lease);
    next_keepalive_ = BootTime{};
    slots_ = wish_.slots.value_or(1);
    has_missed_own_ = true;
    state_ = place.fence != 0 && is_used == Using::yes ? State::inside : State::waiting;
    watch_own();
    if (place.fence == 0)
        ask(Question::look);
    else if (is_used == Using::no)
        entering_ = place.fence;
}

void ClusterTokens::give() {
    if (state_ == State::giving || state_ == State::given) return;
    unwatch_targets();
    if (own_ != 0) client_.unwatch(own_);
    own_ = 0;
    rearm_at_ = Deadline::never();
    if (place_.lease == 0 || state_ == State::gone) {
        state_ = State::given;
        return;
    }
    state_ = State::giving;
    ask(Question::revoke);
}

std::optional<BootTime> ClusterTokens::next_boot_time() const {
    const bool lives = state_ == State::waiting || state_ == State::inside ||
                       (state_ == State::queuing && place_.times.renewed != BootTime{});
    return lives && keepalive_ == 0 ? std::optional{next_keepalive_} : std::nullopt;
}

Transaction ClusterTokens::look_request() const {
    Range before = youngest(wish_.keys, 1);
    before.max_create_revision = place_.revision - 1;
    Range first = oldest(wish_.keys, slots_ + 1);
    first.keys_only = true;
    Range ours = single(key_);
    ours.keys_only = true;
    Transaction look;
    for (auto& range : {single(wish_.keys.slots()), ours, first, before})
        look.success.push_back(Operation::get(range));
    return look;
}

Transaction ClusterTokens::enqueue_request() const {
    Transaction request;
    request.compares.push_back({wish_.keys.slots(), Compare::Target::value,
                                Compare::Relation::equal, 0, fmt::format("{}", slots_)});
    request.success = look_request().success;
    // Ours is the youngest.
    request.success.back() = Operation::get(youngest(wish_.keys, 2));
    request.success.insert(request.success.begin(),
                           Operation::put(key_, wish_.entry.json(), place_.lease));
    request.failure.push_back(Operation::get(single(wish_.keys.slots())));
    return request;
}

void ClusterTokens::ask(Question question) {
    if (call_ != 0) client_.abandon(call_);
    call_ = 0;
    again_ = Question::none;
    retry_at_ = Deadline::never();
    question_ = question;
    look_again_ = false;
    // As long as nobody knows us, the user waits for an answer. Afterwards we keep our place.
    const auto limit = was_queued_ ? Deadline::after(answer_limit) : wish_.first_answer;
    switch (question) {
    case Question::none:
        return;
    case Question::peek: {
        constexpr std::int64_t max_named = 1000;
        Transaction peek;
        peek.success = {Operation::get(single(wish_.keys.slots())),
                        Operation::get(oldest(wish_.keys, slots_ != 0 ? slots_ : max_named))};
        call_ = client_.start(peek, limit);
        return;
    }
    case Question::grant:
        place_.lease = random_lease();
        key_ = wish_.keys.entry(place_.lease);
        keepalive_sent_ = BootClock::now();
        watch_own();
        call_ = client_.start(LeaseGrant{whole_seconds(wish_.ttl), place_.lease}, limit);
        return;
    case Question::make_set: {
        Transaction make;
        make.compares.push_back({wish_.keys.slots()});
        make.success = {Operation::put(wish_.keys.slots(), fmt::format("{}", slots_), 0)};
        call_ = client_.start(make, limit);
        return;
    }
    case Question::enqueue:
        call_ = client_.start(enqueue_request(), limit);
        return;
    case Question::look:
        call_ = client_.start(look_request(), limit);
        return;
    case Question::confirm: {
        auto entry = wish_.entry;
        entry.state = TokenEntry::State::held;
        Transaction confirm;
        confirm.compares.push_back(
            {key_, Compare::Target::create_revision, Compare::Relation::equal, place_.revision});
        confirm.compares.push_back({wish_.keys.slots(), Compare::Target::mod_revision,
                                    Compare::Relation::equal, slots_revision_});
        confirm.success = {Operation::put(key_, entry.json(), place_.lease)};
        call_ = client_.start(confirm, limit);
        return;
    }
    case Question::verify: {
        Range ours = single(key_);
        ours.keys_only = true;
        call_ = client_.start(ours, limit);
        return;
    }
    case Question::revoke:
        call_ = client_.start(LeaseRevoke{place_.lease}, limit);
        return;
    }
}

void ClusterTokens::ask_again_later(Question question) {
    question_ = Question::none;
    again_ = question;
    retry_at_ = Deadline::after(pause_before_retry);
}

void ClusterTokens::work() {
    client_.work();
    while (auto call = client_.next_finished())
        finished(*std::move(call));
    while (const auto event = client_.next_event())
        happened(*event);
    if (rearm_at_.passed()) rearm();
    if (retry_at_.passed()) ask(again_);
    keep_alive_if_due();
}

void ClusterTokens::finished(FinishedCall call) {
    if (call.id == keepalive_) return kept_alive(std::move(call));
    if (call.id == asked_holders_) {
        asked_holders_ = 0;
        if (!call.error) holders_ = entries_in(Range::Answer::decode(call.answer));
        return;
    }
    if (call.id != call_) return;
    call_ = 0;
    const auto question = std::exchange(question_, Question::none);
    if (call.error) return refused(question, *call.error);
    try {
        answered(question, call.answer);
    } catch (const MalformedMessage& error) {
        refused(question, {EtcdError::Kind::refused, error.what()});
    }
}

void ClusterTokens::refused(Question question, const EtcdError& error) {
    using Kind = EtcdError::Kind;
    if (question == Question::revoke) {
        if (error.kind() == Kind::unavailable &&
            BootClock::now() < place_.times.renewed + place_.times.ttl)
            return ask_again_later(question);
        // Either it is gone, or it soon ends by itself.
        state_ = State::given;
        return;
    }
    if (error.kind() == Kind::gone) return lose();
    if (error.kind() == Kind::unavailable && was_queued_) return ask_again_later(question);
    if (state_ == State::inside) return; // the keepalives tell whether the lease lives
    fail(error.what());
}

void ClusterTokens::answered(Question question, const std::string& answer) {
    switch (question) {
    case Question::none:
        return;
    case Question::peek:
        return peeked(Transaction::Answer::decode(answer));
    case Question::grant:
        place_.times.ttl = std::chrono::seconds{LeaseGrant::Answer::decode(answer).ttl_s};
        place_.times.renewed = keepalive_sent_;
        next_keepalive_ = place_.times.next_keepalive();
        return ask(Question::enqueue);
    case Question::make_set:
        return ask(Question::enqueue); // somebody else may have been faster
    case Question::enqueue:
        return enqueued(Transaction::Answer::decode(answer));
    case Question::look:
        return looked(Transaction::Answer::decode(answer));
    case Question::confirm: {
        const auto confirmed = Transaction::Answer::decode(answer);
        return confirmed.succeeded ? enter(confirmed.revision) : ask(Question::look);
    }
    case Question::verify:
        if (Range::Answer::decode(answer).found.empty()) return lose();
        has_missed_own_ = false;
        if (entering_ != 0) enter(std::exchange(entering_, 0));
        return;
    case Question::revoke:
        state_ = State::given;
        return;
    }
}

// Whether the set has the slots that we count on; otherwise what to do about it.
void ClusterTokens::learn_slots(const Range::Answer& slots) {
    const auto& text = wish_.keys.text();
    if (slots.found.empty()) {
        if (wish_.slots && state_ == State::queuing) return ask(Question::make_set);
        return fail(fmt::format("there is no set {} (make it with -j SLOTS)", text));
    }
    const auto number = parse_slots(slots.found.front().value);
    if (!number)
        return fail(fmt::format("{} has no number of slots in {}", text, wish_.keys.slots()));
    if (wish_.slots && *wish_.slots != *number && state_ == State::queuing)
        return fail(fmt::format("{} has {} slot{}, not {}", text, *number, *number == 1 ? "" : "s",
                                *wish_.slots));
    slots_ = *number;
    ask(state_ == State::queuing ? (place_.lease == 0 ? Question::grant : Question::enqueue)
                                 : Question::look);
}

void ClusterTokens::peeked(const Transaction::Answer& answer) {
    constexpr std::size_t wanted = 2;
    if (answer.results.size() < wanted) return fail("the server's answer makes no sense");
    const auto& slots = answer.results[0].found;
    if (slots.empty() && wish_.slots) return ask(Question::grant);
    const auto number = slots.empty() ? std::nullopt : parse_slots(slots.front().value);
    const auto& queue = answer.results[1];
    if (wish_.must_be_free && number && std::ssize(queue.found) >= *number &&
        (!wish_.slots || *wish_.slots == *number)) {
        holders_ = entries_in(queue);
        state_ = State::busy;
        return;
    }
    learn_slots(answer.results[0]);
}

void ClusterTokens::enqueued(const Transaction::Answer& answer) {
    if (!answer.succeeded)
        return learn_slots(answer.results.empty() ? Range::Answer{} : answer.results[0]);
    const auto look = look_in(answer.results, key_);
    constexpr std::size_t with_put = 5;
    if (answer.results.size() < with_put || answer.results[2].found.empty())
        return fail("the server's answer makes no sense");
    place_.revision = answer.results[2].found.front().create_revision;
    state_ = State::waiting;
    was_queued_ = true;
    slots_revision_ = look.slots_revision;
    const auto turn = judge(look, key_, place_.revision, slots_);
    if (turn.kind == Turn::Kind::inside) return enter(answer.revision);
    if (wish_.must_be_free) {
        state_ = State::busy; // somebody was faster
        return;
    }
    arm(turn);
}

void ClusterTokens::looked(const Transaction::Answer& answer) {
    const auto look = look_in(answer.results, key_);
    if (look_again_) return ask(Question::look);
    if (is_own_armed_) has_missed_own_ = false;
    decide(look);
}

void ClusterTokens::decide(const QueueLook& look) {
    slots_revision_ = look.slots_revision;
    auto turn = judge(look, key_, place_.revision, slots_);
    switch (turn.kind) {
    case Turn::Kind::inside:
        return ask(Question::confirm);
    case Turn::Kind::gone:
        return lose();
    case Turn::Kind::no_set:
        return fail(fmt::format("{} was removed", wish_.keys.text()));
    case Turn::Kind::slots_differ:
        slots_ = parse_slots(*look.slots).value_or(0);
        if (slots_ == 0)
            return fail(fmt::format("{} has no number of slots in {}", wish_.keys.text(),
                                    wish_.keys.slots()));
        return ask(Question::look);
    case Turn::Kind::first:
    case Turn::Kind::behind:
        break;
    }
    // The look that finds the watched ones still there ends the search; later ones are told.
    if (turn == turn_ && !targets_.empty()) return;
    arm(turn);
}

void ClusterTokens::watch_own() {
    is_own_armed_ = false;
    own_ = client_.watch({key_, {}, Watch::Puts::left_out});
}

void ClusterTokens::arm(const Turn& turn) {
    unwatch_targets();
    turn_ = turn;
    if (turn.kind == Turn::Kind::first) {
        targets_[client_.watch(
            {wish_.keys.queue(), wish_.keys.queue_end(), Watch::Puts::left_out})];
        targets_[client_.watch({wish_.keys.slots(), {}, Watch::Puts::told})].is_slots = true;
    } else {
        targets_[client_.watch({turn.ahead.front(), {}, Watch::Puts::told})];
    }
}

void ClusterTokens::unwatch_targets() {
    for (const auto& [watch, target] : targets_)
        client_.unwatch(watch);
    targets_.clear();
    turn_ = {};
}

void ClusterTokens::rearm() {
    rearm_at_ = Deadline::never();
    if (state_ != State::waiting && state_ != State::inside && state_ != State::queuing) return;
    if (own_ == 0 && place_.lease != 0) watch_own();
    if (state_ == State::waiting && targets_.empty() && entering_ == 0) ask(Question::look);
}

void ClusterTokens::happened(const WatchEvent& event) {
    if (event.kind == WatchEvent::Kind::lost) return lost_watch(event);
    if (event.watch == own_) {
        if (event.kind == WatchEvent::Kind::deleted) return lose();
        if (event.kind != WatchEvent::Kind::created) return;
        is_own_armed_ = true;
        has_missed_own_ |= question_ == Question::enqueue || place_.revision != 0;
        if (entering_ != 0) return enter(entering_);
        if (state_ == State::inside && has_missed_own_) return ask(Question::verify);
        return look_if_armed();
    }
    happened_to_target(event);
}

void ClusterTokens::happened_to_target(const WatchEvent& event) {
    const auto found = targets_.find(event.watch);
    if (found == targets_.end() || state_ != State::waiting) return;
    if (event.kind == WatchEvent::Kind::created) {
        found->second.is_armed = true;
        return look_if_armed();
    }
    const bool is_entry = !found->second.is_slots;
    if (turn_.kind == Turn::Kind::first && is_entry) {
        // Somebody behind us may have left, too.
        if (!turn_.waits_for(event.kv.key)) return;
        unwatch_targets();
        return ask(Question::confirm);
    }
    if (question_ == Question::none || question_ == Question::look) {
        if (question_ == Question::look && call_ != 0)
            look_again_ = true;
        else
            ask(Question::look);
    }
}

void ClusterTokens::lost_watch(const WatchEvent& event) {
    const bool is_target = targets_.contains(event.watch);
    if (event.watch != own_ && !is_target) return;
    if (event.is_denied && state_ != State::inside) return fail(event.reason);
    if (event.watch == own_) {
        own_ = 0;
        is_own_armed_ = false;
        has_missed_own_ = true;
    }
    if (is_target) {
        targets_.erase(event.watch);
        unwatch_targets();
    }
    rearm_at_ = Deadline::after(pause_before_retry);
}

// All watches are armed: from here on a look and what they tell leave no gap.
void ClusterTokens::look_if_armed() {
    if (state_ != State::waiting || targets_.empty() || !is_own_armed_) return;
    for (const auto& [watch, target] : targets_)
        if (!target.is_armed) return;
    if (question_ == Question::none)
        ask(Question::look);
    else if (question_ == Question::look)
        look_again_ = true;
}

void ClusterTokens::enter(Revision fence) {
    entering_ = fence;
    if (!is_own_armed_) return;
    if (has_missed_own_) return ask(Question::verify);
    unwatch_targets();
    place_.fence = std::exchange(entering_, 0);
    state_ = State::inside;
}

void ClusterTokens::lose() {
    if (state_ == State::giving || state_ == State::given) return;
    ask(Question::none);
    unwatch_targets();
    if (keepalive_ != 0) client_.abandon(std::exchange(keepalive_, 0));
    state_ = State::gone;
}

void ClusterTokens::fail(std::string reason) {
    ask(Question::none);
    error_ = std::move(reason);
    state_ = State::failed;
}

void ClusterTokens::keep_alive_if_due() {
    const auto next = next_boot_time();
    if (!next || BootClock::now() < *next) return;
    keepalive_sent_ = BootClock::now();
    // A call may be repeated at several members, and only its first attempt is sure to be older
    // than what the answer grants. So it is a short one.
    constexpr int attempts = 3;
    keepalive_ = client_.start(LeaseKeepAlive{place_.lease},
                               Deadline::after(attempts * patience_of(place_.times.ttl)));
}

void ClusterTokens::kept_alive(FinishedCall call) {
    keepalive_ = 0;
    if (call.error && call.error->kind() != EtcdError::Kind::gone) {
        next_keepalive_ = BootClock::now() + patience_of(place_.times.ttl) / 2;
        return;
    }
    const auto ttl = call.error ? 0 : LeaseKeepAlive::Answer::decode(call.answer).ttl_s;
    if (ttl <= 0) return lose();
    place_.times.renewed = keepalive_sent_;
    place_.times.ttl = std::chrono::seconds{ttl};
    next_keepalive_ = place_.times.next_keepalive();
}

void ClusterTokens::ask_holders() {
    if (asked_holders_ != 0) client_.abandon(asked_holders_);
    holders_.reset();
    asked_holders_ = client_.start(oldest(wish_.keys, std::max<std::int64_t>(slots_, 1)),
                                   Deadline::after(std::chrono::seconds{1}));
}

} // namespace ipcbox::cluster
