#include "clocks/survey.h"

#include "core/counted.h"
#include "core/error.h"
#include "core/poll.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <utility>

namespace ipcbox::clocks {

namespace {

using namespace std::chrono_literals;

// We begin this many hosts before we look for answers: some answer at once, and then we can close
// their sockets.
constexpr std::size_t begun_at_once = 64;
// An answer may be complete although the server does not close. We wait this long for more of it.
constexpr Duration pause = 250ms;
// When a timer is late, the overdue datagrams leave at once, but at most this many.
constexpr int max_overdue = 64;
// No wait is longer than this. The sum of a few such waits does not overflow.
constexpr Duration longest = std::chrono::hours{365 * 24};

} // namespace

struct Survey::Active {
    enum class Step : std::uint8_t {
        looking_up,
        queueing, // waits for its turn to send a datagram, or for a socket
        asking,
        pausing, // its answer may be complete
        resting  // until it is asked for its tick again
    };

    std::size_t number;
    Inquiry inquiry;
    Step step = Step::looking_up;
    Exchanges::Connection connection{};
};

Survey::Survey(const std::vector<Host>& hosts, const SurveyOptions& options, SurveyEvents& events)
    : hosts_(hosts), options_(options), events_(events),
      uses_streams_(std::ranges::any_of(
          options.sources, [](const auto& entry) { return !is_datagram(entry.source); })),
      active_(hosts.size()), timers_(hosts.size()), next_datagram_(Deadline::Clock::now()),
      lookups_(options.family), exchanges_(options) {
    options_.patience = std::min(options_.patience, longest);
    options_.interval = std::min(options_.interval, longest);
    auto& at_once = options_.at_once;
    if (uses_streams_)
        at_once = exchanges_.make_room(
            std::clamp<std::size_t>(at_once, 1, std::max<std::size_t>(1, hosts_.size())));
}

Survey::~Survey() = default;

// --- The loop

int Survey::run(SignalFd& signals) {
    ends_ = Deadline::after(options_.total);
    for (;;) {
        begin_some();
        ask_next_datagrams();
        take_results();
        fire_timers();
        if (finished_ == hosts_.size()) return 0;
        if (const int signal = wait(signals)) return signal;
        take_lookups();
    }
}

// The signal that has come, or 0.
int Survey::wait(SignalFd& signals) {
    const auto of_exchanges = exchanges_.poll_entries();
    std::array<pollfd, 2 + of_exchanges.size()> entries{pollfd{signals.fd(), POLLIN, 0},
                                                        {lookups_.fd(), POLLIN, 0}};
    std::ranges::copy(of_exchanges, entries.begin() + 2);
    const auto next = next_event();
    if (!next.passed()) events_.waiting();
    (void)poll_until(entries, next);
    return entries.front().revents == 0 ? 0 : signals.next().value_or(0);
}

Deadline Survey::next_event() {
    const auto now = Deadline::after(Duration::zero());
    const bool has_sender = next_sender() != nullptr;
    if (may_begin() || may_ask_after_shortage() || exchanges_.has_failures()) return now;
    auto next = timers_.next();
    if (has_sender)
        next = std::min(next, exchanges_.udp().room() > 0
                                  ? Deadline::after(next_datagram_ - Deadline::Clock::now())
                                  : exchanges_.udp().next_room());
    return next;
}

// For UDP, the room for questions is the limit, and not the number of sockets.
bool Survey::may_begin() const {
    if (begun_ == hosts_.size() || !short_of_sockets_.empty()) return false;
    const auto active = begun_ - finished_;
    return datagrams_.size() < begun_at_once && (!uses_streams_ || active < options_.at_once);
}

bool Survey::may_ask_after_shortage() const {
    return !short_of_sockets_.empty() && exchanges_.open_connections() < options_.at_once;
}

void Survey::begin_some() {
    ask_again_after_shortage();
    for (std::size_t count = 0; count < begun_at_once && may_begin(); ++count)
        begin(begun_++);
}

void Survey::begin(std::size_t number) {
    active_[number] = std::make_unique<Active>(
        Active{.number = number, .inquiry = {hosts_[number], options_, ends_}});
    auto& host = *active_[number];
    if (host.inquiry.ends().passed()) {
        host.inquiry.give_up("not asked in time");
        return finish(host);
    }
    const auto& name = hosts_[number].name;
    if (auto known = lookups_.known(name); !known.empty())
        return looked_up(host, {number, std::move(known), {}});
    lookups_.ask(number, name, host.inquiry.ends());
    timers_.set(host.number, host.inquiry.ends());
}

// The host that may send the next datagram, or null. Passes over hosts whose time is up, so that
// they do not hold up the others.
Survey::Active* Survey::next_sender() {
    for (; !datagrams_.empty(); datagrams_.pop_front()) {
        auto* const host = active_[datagrams_.front()].get();
        if (host != nullptr && host->step == Active::Step::queueing) return host;
    }
    return nullptr;
}

void Survey::ask_next_datagrams() {
    const auto now = Deadline::Clock::now();
    next_datagram_ = std::max(next_datagram_, now - max_overdue * options_.interval);
    for (auto* host = next_sender();
         host != nullptr && next_datagram_ <= now && exchanges_.udp().room() > 0;
         host = next_sender()) {
        datagrams_.pop_front();
        next_datagram_ += options_.interval;
        ask(*host);
    }
    exchanges_.udp().flush();
}

void Survey::ask_again_after_shortage() {
    for (auto count = short_of_sockets_.size(); count > 0 && may_ask_after_shortage(); --count) {
        const auto number = short_of_sockets_.front();
        short_of_sockets_.pop_front();
        if (auto* host = active_[number].get();
            host != nullptr && host->step == Active::Step::queueing)
            ask(*host);
    }
}

void Survey::take_lookups() {
    for (auto& answer : lookups_.take()) {
        auto* const host = active_[answer.number].get();
        if (host != nullptr && host->step == Active::Step::looking_up)
            looked_up(*host, std::move(answer));
    }
}

void Survey::take_results() {
    exchanges_.work(results_);
    for (const auto& exchange : results_)
        take(exchange);
    results_.clear();
}

void Survey::fire_timers() {
    while (const auto number = timers_.take_due())
        timer_fired(*active_[*number]);
}

// --- One host

void Survey::looked_up(Active& host, net::Lookups::Answer answer) {
    if (answer.addresses.empty()) {
        host.inquiry.give_up(std::move(answer.problem));
        return finish(host);
    }
    host.inquiry.set_addresses(std::move(answer.addresses));
    ask_in_turn(host);
}

void Survey::ask_in_turn(Active& host) {
    if (!is_datagram(host.inquiry.source())) return ask(host);
    host.step = Active::Step::queueing;
    datagrams_.push_back(host.number);
    timers_.set(host.number, host.inquiry.ends());
}

void Survey::ask(Active& host) {
    host.step = Active::Step::asking;
    const auto source = host.inquiry.source();
    const auto& address = host.inquiry.begin_try();
    timers_.set(host.number, host.inquiry.end_of_try());
    if (is_datagram(source))
        exchanges_.send(host.number, source, address);
    else
        connect(host, address);
}

void Survey::connect(Active& host, const net::Address& address) {
    try {
        host.connection = exchanges_.connect(host.number, host.inquiry.source(), address,
                                             hosts_[host.number].name, host.inquiry.end_of_try());
    } catch (const SysError& error) {
        if (exchanges_.open_connections() == 0)
            return go_on(host, host.inquiry.fail(failure_words(error.error())));
        // No more sockets can be had, so use only as many as are open now.
        options_.at_once = exchanges_.open_connections();
        host.step = Active::Step::queueing;
        short_of_sockets_.push_back(host.number);
        timers_.set(host.number, host.inquiry.ends());
    }
}

void Survey::take(const Exchange& exchange) {
    auto* const host = active_[exchange.number].get();
    if (host == nullptr) return;
    auto& inquiry = host->inquiry;
    switch (exchange.outcome) {
    case Exchange::Outcome::answered:
        return answered(*host, exchange);
    case Exchange::Outcome::paused:
        host->step = Active::Step::pausing;
        return timers_.set(host->number, std::min(Deadline::after(pause), inquiry.ends()));
    case Exchange::Outcome::malformed:
        return inquiry.note_malformed(
            interpret(exchange.bytes, {inquiry.finding().source, exchange.timing, pivot()})
                .problem);
    case Exchange::Outcome::failed:
        return go_on(*host, inquiry.fail(exchange.error != 0 ? failure_words(exchange.error)
                                                             : exchange.problem));
    }
}

void Survey::timer_fired(Active& host) {
    switch (host.step) {
    case Active::Step::looking_up:
        host.inquiry.give_up("its name was not found in time");
        return finish(host);
    case Active::Step::queueing:
        return go_on(
            host, host.inquiry.fail(host.inquiry.was_tried() ? "timed out" : "not asked in time"));
    case Active::Step::asking:
        return try_timed_out(host);
    case Active::Step::pausing:
        return answered(host, exchanges_.stop(host.connection));
    case Active::Step::resting:
        return ask_in_turn(host);
    }
}

void Survey::try_timed_out(Active& host) {
    const auto source = host.inquiry.finding().source;
    if (is_datagram(source)) {
        const auto next = host.inquiry.miss_datagram();
        // An answer of the last address or source would now be too late.
        if (next != Inquiry::Next::another_try || !host.inquiry.was_tried())
            exchanges_.udp().give_up(host.number);
        return go_on(host, next);
    }
    const auto size = exchanges_.stop(host.connection).bytes.size();
    const auto after = size == 0 ? "" : " after " + counted(size, "byte");
    go_on(host, host.inquiry.fail("timed out" + after));
}

void Survey::answered(Active& host, const Exchange& exchange) {
    const auto source = host.inquiry.finding().source;
    go_on(host, host.inquiry.take(interpret(exchange.bytes, {source, exchange.timing, pivot()})));
}

void Survey::go_on(Active& host, Inquiry::Next next) {
    switch (next) {
    case Inquiry::Next::another_try:
        return ask_in_turn(host);
    case Inquiry::Next::rest:
        host.step = Active::Step::resting;
        return timers_.set(host.number, host.inquiry.rest_ends());
    case Inquiry::Next::finished:
        return finish(host);
    }
}

void Survey::finish(Active& host) {
    const auto number = host.number;
    const auto done = std::move(active_[number]);
    timers_.cancel(number);
    ++finished_;
    events_.found(number, std::move(done->inquiry.finding()));
}

std::time_t Survey::pivot() const {
    return options_.pivot.value_or(
        std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
}

} // namespace ipcbox::clocks
