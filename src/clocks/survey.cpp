#include "clocks/survey.h"

#include "core/error.h"
#include "core/poll.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <fmt/format.h>
#include <utility>

namespace ipcbox::clocks {

namespace {

using namespace std::chrono_literals;

// So many are begun before answers are looked for: what is asked of many at once is answered by
// some at once, and their sockets can go.
constexpr std::size_t begun_at_once = 64;
// How long an answer that is whole may be followed by more, when its server does not close.
constexpr Duration pause = 250ms;
// When the tick of a clock is known as well as that, it is known.
constexpr Duration tick_goal = 1ms;
constexpr int most_tick_questions = 16;
// A timer that is late sends its datagrams at once, but no more than that.
constexpr int most_overdue = 64;
// Nobody waits longer, and so many of it can be added.
constexpr Duration longest = std::chrono::hours{365 * 24};

std::string words_for(int error) {
    switch (error) {
    case ECONNREFUSED:
        return "refused";
    case ECONNRESET:
        return "reset";
    case ETIMEDOUT:
        return "timed out";
    case EHOSTUNREACH:
        return "host unreachable";
    case ENETUNREACH:
        return "network unreachable";
    case EAFNOSUPPORT:
        return "this machine does not speak its protocol family";
    default:
        return std::string{error_text(error)};
    }
}

} // namespace

struct Survey::Inquiry {
    enum class Step : std::uint8_t {
        looking_up,
        queueing, // for its turn to send a datagram, or for a socket
        asking,
        pausing, // its answer may be whole
        resting  // until it is asked for its tick again
    };

    std::size_t number = 0;
    Step step = Step::looking_up;
    Deadline ends = Deadline::never();
    std::uint32_t generation = 0; // of its timer
    std::vector<net::Address> addresses;
    // What is tried: which source, at which address, for how many times.
    std::size_t source = 0;
    std::size_t address = 0;
    int tries = 0;
    int questions = 0; // that were answered
    TcpExchanges::Slot slot = 0;
    std::string malformed; // what was wrong with a datagram
    std::vector<std::pair<Source, std::string>> problems;
    Finding finding;
};

Survey::Survey(const std::vector<Host>& hosts, const SurveyOptions& options, SurveyEvents& events)
    : hosts_(hosts), options_(options), events_(events),
      uses_streams_(std::ranges::any_of(
          options.sources, [](const auto& entry) { return !is_datagram(entry.source); })),
      inquiries_(hosts.size()), next_datagram_(Deadline::Clock::now()), lookups_(options.family) {
    options_.patience = std::min(options_.patience, longest);
    options_.interval = std::min(options_.interval, longest);
    if (!uses_streams_) return;
    options_.at_once =
        std::clamp<std::size_t>(options_.at_once, 1, std::max<std::size_t>(1, hosts.size()));
    constexpr std::size_t other_descriptors = 16;
    const auto limit = raise_descriptor_limit(options_.at_once + other_descriptors);
    options_.at_once =
        std::min(options_.at_once, std::max(limit, other_descriptors + 1) - other_descriptors);
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
    const auto udp = udp_.poll_entries();
    std::array<pollfd, 5> entries{pollfd{signals.fd(), POLLIN, 0},
                                  {lookups_.fd(), POLLIN, 0},
                                  {tcp_.fd(), POLLIN, 0},
                                  udp[0],
                                  udp[1]};
    const auto next = next_event();
    if (!next.passed()) events_.waiting();
    (void)poll_until(entries, next);
    return entries.front().revents == 0 ? 0 : signals.next().value_or(0);
}

Deadline Survey::next_event() {
    const auto now = Deadline::after(Duration::zero());
    const bool has_sender = next_sender() != nullptr;
    if (may_begin() || may_ask_after_shortage() || tcp_.has_failures()) return now;
    auto next = timers_.empty() ? Deadline::never() : timers_.top().when;
    if (has_sender)
        next = std::min(next, udp_.room() > 0
                                  ? Deadline::after(next_datagram_ - Deadline::Clock::now())
                                  : udp_.next_room());
    return next;
}

// Over UDP as many as there is room for questions; sockets are of no matter.
bool Survey::may_begin() const {
    if (begun_ == hosts_.size() || !short_of_sockets_.empty()) return false;
    const auto active = begun_ - finished_;
    return datagrams_.size() < begun_at_once && (!uses_streams_ || active < options_.at_once);
}

bool Survey::may_ask_after_shortage() const {
    return !short_of_sockets_.empty() && tcp_.size() < options_.at_once;
}

void Survey::begin_some() {
    ask_again_after_shortage();
    for (std::size_t count = 0; count < begun_at_once && may_begin(); ++count)
        begin(begun_++);
}

void Survey::begin(std::size_t number) {
    auto& inquiry = *(inquiries_[number] = std::make_unique<Inquiry>());
    inquiry.number = number;
    inquiry.ends = std::min(Deadline::after(options_.patience), ends_);
    inquiry.finding.source = options_.sources.front().source;
    if (inquiry.ends.passed()) return failed(inquiry, "not asked in time");
    const auto& name = hosts_[number].name;
    if (auto known = lookups_.known(name); !known.empty())
        return looked_up(inquiry, {number, std::move(known), {}});
    lookups_.ask(number, name, inquiry.ends);
    set_timer(inquiry, inquiry.ends);
}

// Whose turn it is to send a datagram, or null. Whose time has passed meanwhile sends none, and
// holds up nobody.
Survey::Inquiry* Survey::next_sender() {
    for (; !datagrams_.empty(); datagrams_.pop_front()) {
        auto* const inquiry = inquiries_[datagrams_.front()].get();
        if (inquiry != nullptr && inquiry->step == Inquiry::Step::queueing) return inquiry;
    }
    return nullptr;
}

void Survey::ask_next_datagrams() {
    const auto now = Deadline::Clock::now();
    next_datagram_ = std::max(next_datagram_, now - most_overdue * options_.interval);
    for (auto* inquiry = next_sender();
         inquiry != nullptr && next_datagram_ <= now && udp_.room() > 0; inquiry = next_sender()) {
        datagrams_.pop_front();
        next_datagram_ += options_.interval;
        ask(*inquiry);
    }
    udp_.flush();
}

void Survey::ask_again_after_shortage() {
    for (auto count = short_of_sockets_.size(); count > 0 && may_ask_after_shortage(); --count) {
        const auto number = short_of_sockets_.front();
        short_of_sockets_.pop_front();
        if (auto* inquiry = inquiries_[number].get();
            inquiry != nullptr && inquiry->step == Inquiry::Step::queueing)
            ask(*inquiry);
    }
}

void Survey::take_lookups() {
    for (auto& answer : lookups_.take()) {
        auto* const inquiry = inquiries_[answer.number].get();
        if (inquiry != nullptr && inquiry->step == Inquiry::Step::looking_up)
            looked_up(*inquiry, std::move(answer));
    }
}

void Survey::take_results() {
    tcp_.work(results_);
    udp_.work(results_);
    for (const auto& exchange : results_)
        take(exchange);
    results_.clear();
}

void Survey::fire_timers() {
    while (!timers_.empty()) {
        const auto timer = timers_.top();
        auto* const inquiry = inquiries_[timer.number].get();
        const bool is_void = inquiry == nullptr || inquiry->generation != timer.generation;
        if (!is_void && !timer.when.passed()) return;
        timers_.pop();
        if (!is_void) timer_fired(*inquiry);
    }
}

void Survey::set_timer(Inquiry& inquiry, Deadline when) {
    timers_.push({when, inquiry.number, ++inquiry.generation});
}

// --- One host

void Survey::looked_up(Inquiry& inquiry, net::Lookups::Answer answer) {
    inquiry.addresses = std::move(answer.addresses);
    if (inquiry.addresses.empty()) {
        inquiry.finding.answer.problem = std::move(answer.problem);
        return finish(inquiry);
    }
    ask_in_turn(inquiry);
}

const SourcePort& Survey::source_of(const Inquiry& inquiry) const {
    return options_.sources[inquiry.source];
}

net::Address Survey::address_of(const Inquiry& inquiry) const {
    const auto& [source, port] = source_of(inquiry);
    auto address = inquiry.addresses[inquiry.address];
    address.set_port(hosts_[inquiry.number].port.value_or(port.value_or(default_port(source))));
    return address;
}

int Survey::tries_of(const SourcePort& source) const {
    return is_datagram(source.source) ? 1 + options_.retries : 1;
}

void Survey::ask_in_turn(Inquiry& inquiry) {
    if (!is_datagram(source_of(inquiry).source)) return ask(inquiry);
    inquiry.step = Inquiry::Step::queueing;
    datagrams_.push_back(inquiry.number);
    set_timer(inquiry, inquiry.ends);
}

void Survey::ask(Inquiry& inquiry) {
    inquiry.step = Inquiry::Step::asking;
    const auto source = source_of(inquiry).source;
    inquiry.finding.source = source;
    inquiry.finding.address = address_of(inquiry);
    set_timer(inquiry, end_of_try(inquiry));
    const auto nonce = source == Source::ntp ? nonces_.next() : 0; // no other brings it back
    if (is_datagram(source))
        udp_.ask(inquiry.number, source, inquiry.finding.address, nonce);
    else
        connect(inquiry);
}

void Survey::connect(Inquiry& inquiry) {
    const auto& host = hosts_[inquiry.number];
    const net::HostPort place{host.name, inquiry.finding.address.port()};
    try {
        inquiry.slot = tcp_.start(inquiry.number, inquiry.finding.source, inquiry.finding.address,
                                  question(inquiry.finding.source, place.text(), 0));
    } catch (const SysError& error) {
        if (tcp_.size() == 0) return failed(inquiry, words_for(error.error()));
        // As many as there are will have to do.
        options_.at_once = tcp_.size();
        inquiry.step = Inquiry::Step::queueing;
        short_of_sockets_.push_back(inquiry.number);
        set_timer(inquiry, inquiry.ends);
    }
}

Deadline Survey::end_of_try(const Inquiry& inquiry) const {
    const auto left = inquiry.ends.remaining();
    if (options_.try_patience)
        return std::min(Deadline::after(*options_.try_patience), inquiry.ends);
    if (!left) return Deadline::never();
    const auto addresses = static_cast<int>(inquiry.addresses.size());
    const auto here = static_cast<int>(inquiry.addresses.size() - inquiry.address);
    int tries = here * tries_of(source_of(inquiry)) - inquiry.tries;
    for (auto next = inquiry.source + 1; next < options_.sources.size(); ++next)
        tries += addresses * tries_of(options_.sources[next]);
    return Deadline::after(*left / tries);
}

void Survey::take(const Exchange& exchange) {
    auto* const inquiry = inquiries_[exchange.number].get();
    if (inquiry == nullptr) return;
    switch (exchange.outcome) {
    case Exchange::Outcome::answered:
        return answered(*inquiry, exchange);
    case Exchange::Outcome::paused:
        inquiry->step = Inquiry::Step::pausing;
        return set_timer(*inquiry, std::min(Deadline::after(pause), inquiry->ends));
    case Exchange::Outcome::malformed:
        inquiry->malformed =
            interpret(exchange.bytes, {inquiry->finding.source, exchange.timing, pivot()}).problem;
        return;
    case Exchange::Outcome::failed:
        return failed(*inquiry, words_for(exchange.error));
    }
}

void Survey::timer_fired(Inquiry& inquiry) {
    switch (inquiry.step) {
    case Inquiry::Step::looking_up:
        return looked_up(inquiry, {inquiry.number, {}, "its name was not found in time"});
    case Inquiry::Step::queueing:
        return failed(inquiry, inquiry.tries == 0 ? "not asked in time" : "timed out");
    case Inquiry::Step::asking:
        return try_timed_out(inquiry);
    case Inquiry::Step::pausing:
        return answered(inquiry, tcp_.stop(inquiry.slot));
    case Inquiry::Step::resting:
        return ask_in_turn(inquiry);
    }
}

void Survey::try_timed_out(Inquiry& inquiry) {
    if (!is_datagram(inquiry.finding.source)) {
        const auto size = tcp_.stop(inquiry.slot).bytes.size();
        return failed(inquiry, size == 0 ? "timed out"
                                         : fmt::format("timed out after {} byte{}", size,
                                                       size == 1 ? "" : "s"));
    }
    if (++inquiry.tries < tries_of(source_of(inquiry)) && !inquiry.ends.passed())
        return ask_in_turn(inquiry);
    udp_.give_up(inquiry.number);
    failed(inquiry, inquiry.malformed.empty() ? "timed out" : inquiry.malformed);
}

std::time_t Survey::pivot() const {
    return options_.pivot.value_or(
        std::chrono::system_clock::to_time_t(std::chrono::system_clock::now()));
}

void Survey::answered(Inquiry& inquiry, const Exchange& exchange) {
    auto answer = interpret(exchange.bytes, {inquiry.finding.source, exchange.timing, pivot()});
    if (!answer.reading) {
        inquiry.finding.answer.text = std::move(answer.text);
        return failed(inquiry, std::move(answer.problem));
    }
    if (const auto& before = inquiry.finding.answer.reading)
        answer.reading = narrowed(*before, *answer.reading);
    inquiry.finding.answer = std::move(answer);
    ++inquiry.questions;
    if (!asks_for_tick(inquiry)) finish(inquiry);
}

// Whether it is asked again, at the moment that tells most.
bool Survey::asks_for_tick(Inquiry& inquiry) {
    const auto& reading = *inquiry.finding.answer.reading;
    // What has fractions of a second (NTP) has no tick that could be found.
    if (!options_.precise || reading.resolution < 1s || inquiry.questions == most_tick_questions ||
        reading.error <= reading.round_trip + tick_goal)
        return false;
    const auto now = std::chrono::system_clock::now();
    const auto rest = next_tick_question(reading, now) - now;
    const auto patience = std::min(options_.patience, Duration::max() - rest);
    inquiry.ends = std::min(Deadline::after(rest + patience), ends_);
    inquiry.step = Inquiry::Step::resting;
    inquiry.tries = 0;
    set_timer(inquiry, std::min(Deadline::after(rest), ends_));
    return true;
}

void Survey::failed(Inquiry& inquiry, std::string problem) {
    // It was to become more precise; what we have is true all the same.
    if (inquiry.finding.answer.reading) return finish(inquiry);
    const std::pair entry{inquiry.finding.source, std::move(problem)};
    if (std::ranges::find(inquiry.problems, entry) == inquiry.problems.end())
        inquiry.problems.push_back(entry);
    inquiry.malformed.clear();
    inquiry.tries = 0;
    if (++inquiry.address >= inquiry.addresses.size()) {
        inquiry.address = 0;
        ++inquiry.source;
    }
    if (inquiry.source < options_.sources.size() && !inquiry.ends.passed())
        return ask_in_turn(inquiry);
    std::vector<std::string> words;
    for (const auto& [source, text] : inquiry.problems)
        words.push_back(
            options_.sources.size() == 1 ? text : fmt::format("{}: {}", name_of(source), text));
    inquiry.finding.answer.problem = fmt::format("{}", fmt::join(words, ", "));
    finish(inquiry);
}

void Survey::finish(Inquiry& inquiry) {
    const auto number = inquiry.number;
    const auto done = std::move(inquiries_[number]);
    ++finished_;
    events_.found(number, std::move(done->finding));
}

} // namespace ipcbox::clocks
