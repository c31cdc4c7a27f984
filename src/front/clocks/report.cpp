#include "front/clocks/report.h"

#include "cli/output.h"
#include "clocks/agreement.h"
#include "clocks/daytime.h"
#include "core/ascii.h"
#include "core/date.h"

#include <algorithm>
#include <ctime>
#include <fmt/core.h>
#include <fmt/format.h>
#include <unistd.h>

namespace ipcbox::front {

namespace {

using clocks::Flag;
using Seconds = std::chrono::duration<double>;

constexpr std::size_t most_named = 5;     // hosts, on the one line of a check
constexpr std::size_t most_perfdata = 32; // hosts, likewise
constexpr std::size_t plot_width = 72;

double in_seconds(Duration duration) {
    return Seconds{duration}.count();
}

std::time_t whole(clocks::WallTime time) {
    return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

std::string_view words_for(Flag flag) {
    switch (flag) {
    case Flag::none:
        return {};
    case Flag::not_set:
        return "never set";
    case Flag::day_off:
        return "off by a day or more";
    }
    return {};
}

// What has to be said of a reading beside its numbers.
std::string remarks(const clocks::Answer& answer) {
    std::vector<std::string_view> remarks;
    if (const auto flag = words_for(clocks::flag_of(*answer.reading)); !flag.empty())
        remarks.push_back(flag);
    if (answer.daytime && !answer.daytime->states_zone)
        remarks.emplace_back("taken for local time");
    if (answer.leap == clocks::Leap::insert) remarks.emplace_back("announces a leap second");
    if (answer.leap == clocks::Leap::remove)
        remarks.emplace_back("announces that a second will be left out");
    return remarks.empty() ? std::string{} : fmt::format(" ({})", fmt::join(remarks, ", "));
}

// "+0.22 s +/-0.50 s"
std::string error_text(Duration error) {
    return "+/-" + clocks::seconds_text(error, error).substr(1);
}
std::string offset_text(const clocks::Reading& reading) {
    return fmt::format("{} {}", clocks::seconds_text(reading.offset, reading.error),
                       error_text(reading.error));
}

std::string_view name_of_state(int state) {
    return state == 0 ? "OK" : state == 1 ? "WARNING" : "CRITICAL";
}

} // namespace

ClockReport::ClockReport(const ClockConfig& config)
    : config_(config), drifts_(config.watch ? config.hosts.size() : 0) {}

void ClockReport::begin_round() {
    held_.clear();
    next_row_ = 0;
    found_ = 0;
    failures_ = 0;
    agreement_ = {};
    readings_.clear();
    troubles_.clear();
    worst_ = State::ok;
    if (config_.json || config_.monitors() || config_.verbosity.quiet) return;
    const auto date = date_text(std::time(nullptr));
    if (config_.detailed)
        cli::print_line("{:<{}} {:>14} {:>14} {:<11} {}", "localhost", config_.name_columns, 0, "",
                        "-", date);
    else
        cli::print_line("{:<{}} {:>8} {}", "localhost", config_.name_columns, 0, date);
}

// --- Each host

// An answer that nobody can work with is none.
bool ClockReport::has_failed(const clocks::Answer& answer) const {
    return !answer.reading || clocks::flag_of(*answer.reading) == Flag::not_set;
}

ClockReport::State ClockReport::state_of(const clocks::Answer& answer) const {
    if (has_failed(answer)) return State::critical;
    if (!config_.monitors()) return State::ok;
    const auto deviation = clocks::least_deviation(*answer.reading);
    if (config_.critical && deviation >= *config_.critical) return State::critical;
    // A reading that is too vague for the limit does not say that the clock is right.
    const auto least = config_.warn ? *config_.warn : *config_.critical;
    return deviation >= least || answer.reading->error > least ? State::warning : State::ok;
}

void ClockReport::found(std::size_t number, clocks::Finding finding) {
    const auto& answer = finding.answer;
    const auto state = state_of(answer);
    ++found_;
    worst_ = std::max(worst_, state);
    if (has_failed(answer)) ++failures_;
    if (answer.reading) {
        readings_.emplace_back(number, *answer.reading);
        if (config_.watch) drifts_[number].add(Deadline::Clock::now(), *answer.reading);
    }
    if (state != State::ok)
        troubles_.emplace(
            number, fmt::format("{} {}", name_of(number, finding.address),
                                answer.reading ? offset_text(*answer.reading) : answer.problem));
    const bool is_hidden = config_.verbosity.quiet
                               ? state == State::ok
                               : config_.monitors() && !config_.json && !config_.verbosity.verbose;
    if (is_hidden)
        tell(number, {});
    else
        tell(number, config_.json ? object(number, finding, state) : row(number, finding));
}

std::string ClockReport::name_of(std::size_t number, const net::Address& address) const {
    const bool has_address = address.family() != AF_UNSPEC;
    return config_.numeric && has_address ? address.host() : config_.hosts[number].text;
}

std::string ClockReport::row(std::size_t number, const clocks::Finding& finding) const {
    const auto name = name_of(number, finding.address);
    const auto& [answer, source, address] = finding;
    if (!answer.reading)
        return fmt::format("{:<{}} {:>{}} {}\n", name, config_.name_columns, "-",
                           config_.detailed ? 14 : 8, answer.problem);
    auto row = config_.detailed ? detailed_row(name, finding)
                                : fmt::format("{:<{}} {:>8} {}", name, config_.name_columns,
                                              clocks::whole_seconds(*answer.reading),
                                              date_text(whole(answer.reading->said)));
    row += remarks(answer);
    if (config_.watch)
        if (const auto ppm = drifts_[number].ppm()) row += fmt::format(" {:+.3g} ppm", *ppm);
    return row + '\n';
}

std::string ClockReport::detailed_row(std::string_view name, const clocks::Finding& finding) const {
    const auto& reading = *finding.answer.reading;
    return fmt::format("{:<{}} {:>14} {:>14} {:<11} {}", name, config_.name_columns,
                       clocks::seconds_text(reading.offset, reading.error),
                       error_text(reading.error), clocks::name_of(finding.source),
                       date_text(whole(reading.said)));
}

std::string ClockReport::object(std::size_t number, const clocks::Finding& finding,
                                State state) const {
    const auto& [answer, source, address] = finding;
    cli::JsonLine line;
    line.set("type", "host").set("host", config_.hosts[number].text);
    if (address.family() == AF_UNSPEC)
        line.set_null("address").set_null("port").set_null("source");
    else
        line.set("address", address.host())
            .set("port", address.port())
            .set("source", clocks::name_of(source));
    if (const auto& reading = answer.reading) {
        line.set("offset", in_seconds(reading->offset))
            .set("uncertainty", in_seconds(reading->error))
            .set("round_trip", in_seconds(reading->round_trip))
            .set("time", clocks::iso_time(whole(reading->said)));
        const auto flag = clocks::flag_of(*reading);
        if (flag != Flag::none)
            line.set("flag", flag == Flag::not_set ? "not-set" : "day-off");
        else
            line.set_null("flag");
    }
    if (answer.sntp) line.set("stratum", answer.sntp->stratum);
    if (answer.sntp) line.set("reference", answer.sntp->reference);
    if (config_.watch)
        if (const auto ppm = drifts_[number].ppm()) line.set("drift_ppm", *ppm);
    if (config_.monitors()) line.set("state", name_of_state(static_cast<int>(state)));
    if (answer.reading)
        line.set_null("error");
    else
        line.set("error", answer.problem);
    return line.text();
}

// --- Their order

// Rows of a check stand behind its line.
void ClockReport::tell(std::size_t number, std::string row) {
    const bool is_held = config_.monitors() && !config_.json;
    if (config_.as_completed && !is_held) return cli::print(row);
    held_.emplace(number, std::move(row));
    while (!is_held && !held_.empty() && held_.begin()->first == next_row_) {
        cli::print(held_.begin()->second);
        held_.erase(held_.begin());
        ++next_row_;
    }
}

void ClockReport::tell_held_rows() {
    for (const auto& [number, row] : held_)
        cli::print(row);
    held_.clear();
}

void ClockReport::waiting() {
    cli::flush();
}

// --- All of them

void ClockReport::end_round(const clocks::Ignored& ignored) {
    if (unknown() > 0) worst_ = State::critical;
    std::ranges::sort(readings_, {}, [](const auto& entry) { return entry.first; });
    if (config_.consensus) find_consensus();
    if (config_.monitors()) tell_state();
    tell_held_rows();
    if (config_.consensus) tell_consensus();
    if (config_.summary) tell_summary();
    cli::flush();
    tell_ignored(ignored);
    const bool has_failure = failures_ > 0 || (config_.consensus && !agreement_.is_majority());
    const int status = config_.monitors() ? static_cast<int>(worst_) : has_failure ? 1 : 0;
    status_ = std::max(status_, status);
}

// An end of the round that was not its own has left so many hosts.
std::size_t ClockReport::unknown() const {
    return config_.hosts.size() - found_;
}

void ClockReport::tell_ignored(const clocks::Ignored& ignored) const {
    if (config_.verbosity.quiet) return;
    std::vector<std::string> parts;
    const auto add = [&parts](std::uint64_t count, std::string_view what) {
        if (count > 0) parts.push_back(fmt::format("{} {}", count, what));
    };
    add(ignored.strangers, "from strangers");
    add(ignored.duplicates, "more than once");
    add(ignored.late, "late");
    add(ignored.malformed, "malformed");
    add(ignored.dropped, "lost for want of room");
    if (!parts.empty())
        cli::diagnose(fmt::format("answers that do not count: {}", fmt::join(parts, ", ")));
}

void ClockReport::find_consensus() {
    std::vector<clocks::Reading> readings;
    for (const auto& [number, reading] : readings_)
        readings.push_back(reading);
    agreement_ = clocks::find_agreement(readings);
    if (!agreement_.is_majority()) worst_ = std::max(worst_, State::warning);
}

void ClockReport::tell_consensus() const {
    const auto& [members, falsetickers, offset, error] = agreement_;
    const bool is_one = agreement_.is_majority();
    std::vector<std::string> false_ones;
    for (const auto at : falsetickers)
        false_ones.push_back(config_.hosts[readings_[at].first].text);
    if (config_.json) {
        cli::JsonLine line;
        line.set("type", "consensus")
            .set("members", members.size())
            .set("of", readings_.size())
            .set_flag("majority", is_one)
            .set("offset", in_seconds(offset))
            .set("uncertainty", in_seconds(error))
            .set("falsetickers", false_ones);
        return cli::print(line.text());
    }
    if (readings_.empty()) return cli::print_line("consensus: no, nobody has answered");
    cli::print_line("consensus: {} {} of {} agree on {} {}", is_one ? "yes," : "no, only",
                    members.size(), readings_.size(), clocks::seconds_text(offset, error),
                    error_text(error));
    // Without a majority nobody can say who is the false one.
    for (const auto& name : false_ones)
        cli::print_line("{}: {}", is_one ? "falseticker" : "disagrees", name);
}

void ClockReport::tell_summary() const {
    std::vector<Duration> offsets;
    std::vector<Duration> errors;
    for (const auto& [number, reading] : readings_) {
        offsets.push_back(reading.offset);
        errors.push_back(reading.error);
    }
    const auto error = clocks::spread_of(std::move(errors)).value_or(clocks::Spread{}).median;
    const auto answered = offsets.size();
    const auto failed = found_ - answered; // a clock that was never set has answered
    const auto spread = clocks::spread_of(offsets);
    if (config_.json) {
        cli::JsonLine line;
        line.set("type", "summary").set("answered", answered).set("failed", failed);
        if (spread)
            line.set("least", in_seconds(spread->least))
                .set("median", in_seconds(spread->median))
                .set("greatest", in_seconds(spread->most));
        return cli::print(line.text());
    }
    auto text = fmt::format("summary: {} answered, {} failed", answered, failed);
    if (spread)
        text += fmt::format(
            "; offset least {}, median {}, greatest {}", clocks::seconds_text(spread->least, error),
            clocks::seconds_text(spread->median, error), clocks::seconds_text(spread->most, error));
    cli::print_line("{}", text);
    if (spread && cli::is_terminal(STDOUT_FILENO))
        cli::print(clocks::plot(std::move(offsets), error, plot_width));
}

// The one line of a check, as the monitoring plug-ins' guidelines have it.
void ClockReport::tell_state() {
    const auto state = name_of_state(static_cast<int>(worst_));
    const auto all = config_.hosts.size();
    const auto not_ok = troubles_.size() + unknown();
    if (config_.json) {
        cli::JsonLine line;
        line.set("type", "state").set("state", state).set("hosts", all).set("not_ok", not_ok);
        return cli::print(line.text());
    }
    std::vector<std::string> named;
    for (const auto& [number, trouble] : troubles_)
        if (named.size() < most_named) named.push_back(trouble);
    const auto more = troubles_.size() - named.size();
    if (unknown() > 0) named.push_back(fmt::format("{} interrupted", unknown()));
    auto text = not_ok == 0 ? fmt::format("{} host{} in time", all, all == 1 ? "" : "s")
                            : fmt::format("{} of {}: {}", not_ok, all, fmt::join(named, ", "));
    if (more > 0) text += fmt::format(" and {} more", more);
    if (config_.consensus && !agreement_.is_majority()) text += ", but no majority agrees";
    // A server can have one in its kiss of death, and what is behind it is performance data.
    std::ranges::replace(text, '|', '/');
    std::string title{cli::program_name()};
    std::ranges::transform(title, title.begin(), ascii::upper);
    cli::print_line("{} {} - {} | {}", title, state, text, performance_data());
}

std::string ClockReport::performance_data() const {
    auto data =
        fmt::format("hosts={} not_ok={}", config_.hosts.size(), troubles_.size() + unknown());
    const auto limit = [](const std::optional<Duration>& duration) {
        return duration ? fmt::format("{:g}", in_seconds(*duration)) : std::string{};
    };
    if (readings_.size() > most_perfdata) return data;
    for (const auto& [number, reading] : readings_)
        data +=
            fmt::format(" '{}'={:.6f}s;{};{}", config_.hosts[number].text,
                        in_seconds(reading.offset), limit(config_.warn), limit(config_.critical));
    return data;
}

} // namespace ipcbox::front
