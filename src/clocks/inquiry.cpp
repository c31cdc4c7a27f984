#include "clocks/inquiry.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace ipcbox::clocks {

namespace {

using namespace std::chrono_literals;

// We know the tick of a clock when its error is at most this.
constexpr Duration tick_goal = 1ms;
constexpr int max_tick_questions = 16;

} // namespace

bool SurveyOptions::asks(Source source) const {
    return std::ranges::find(sources, source, &SourcePort::source) != sources.end();
}

Inquiry::Inquiry(const Host& host, const SurveyOptions& options, Deadline limit)
    : host_(host), options_(options), limit_(limit),
      ends_(std::min(Deadline::after(options.patience), limit)) {
    finding_.source = options.sources.front().source;
}

void Inquiry::set_addresses(std::vector<net::Address> addresses) {
    addresses_ = std::move(addresses);
}

Source Inquiry::source() const {
    return options_.sources[source_].source;
}

const net::Address& Inquiry::begin_try() {
    const auto& [source, port] = options_.sources[source_];
    finding_.source = source;
    finding_.address = addresses_[address_];
    finding_.address.set_port(host_.port.value_or(port.value_or(default_port(source))));
    return finding_.address;
}

int Inquiry::tries_of(Source source, const SurveyOptions& options) {
    return is_datagram(source) ? 1 + options.retries : 1;
}

Deadline Inquiry::end_of_try() const {
    const auto left = ends_.remaining();
    if (options_.try_patience) return std::min(Deadline::after(*options_.try_patience), ends_);
    if (!left) return Deadline::never();
    const auto addresses = static_cast<int>(addresses_.size());
    const auto here = static_cast<int>(addresses_.size() - address_);
    int tries = here * tries_of(source(), options_) - tries_;
    for (auto next = source_ + 1; next < options_.sources.size(); ++next)
        tries += addresses * tries_of(options_.sources[next].source, options_);
    return Deadline::after(*left / tries);
}

Inquiry::Next Inquiry::take(Answer answer) {
    if (!answer.reading) {
        auto problem = std::move(answer.problem);
        // Keep an earlier reading, which is still true.
        if (!finding_.answer.reading) finding_.answer = std::move(answer);
        return fail(std::move(problem));
    }
    if (const auto& before = finding_.answer.reading)
        answer.reading = narrowed(*before, *answer.reading);
    finding_.answer = std::move(answer);
    ++answers_;
    if (!has_room_for_tick()) return Next::finished;
    const auto now = std::chrono::system_clock::now();
    const auto rest = next_tick_question(*finding_.answer.reading, now) - now;
    const auto patience = std::min(options_.patience, Duration::max() - rest);
    rest_ends_ = std::min(Deadline::after(rest), limit_);
    ends_ = std::min(Deadline::after(rest + patience), limit_);
    tries_ = 0;
    return Next::rest;
}

// Whether another question would improve the reading. A clock that has fractions of a second (NTP)
// has no tick to find.
bool Inquiry::has_room_for_tick() const {
    const auto& reading = *finding_.answer.reading;
    return options_.precise && reading.resolution >= 1s && answers_ < max_tick_questions &&
           reading.error > reading.round_trip + tick_goal;
}

Inquiry::Next Inquiry::fail(std::string problem) {
    // We only wanted to improve a reading. The reading is still true.
    if (finding_.answer.reading) return Next::finished;
    const std::pair entry{finding_.source, std::move(problem)};
    if (std::ranges::find(problems_, entry) == problems_.end()) problems_.push_back(entry);
    malformed_.clear();
    tries_ = 0;
    if (++address_ >= addresses_.size()) {
        address_ = 0;
        ++source_;
    }
    if (source_ < options_.sources.size() && !ends_.passed()) return Next::another_try;
    finding_.answer.problem = all_problems();
    return Next::finished;
}

Inquiry::Next Inquiry::miss_datagram() {
    if (++tries_ < tries_of(source(), options_) && !ends_.passed()) return Next::another_try;
    return fail(malformed_.empty() ? "timed out" : malformed_);
}

std::string Inquiry::all_problems() const {
    std::vector<std::string> words;
    for (const auto& [source, text] : problems_)
        words.push_back(
            options_.sources.size() == 1 ? text : fmt::format("{}: {}", name_of(source), text));
    return fmt::format("{}", fmt::join(words, ", "));
}

} // namespace ipcbox::clocks
