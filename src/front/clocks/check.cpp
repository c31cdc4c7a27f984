#include "front/clocks/check.h"

#include "cli/json.h"
#include "core/ascii.h"
#include "core/counted.h"
#include "front/clocks/rows.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace ipcbox::front {

namespace {

constexpr std::size_t max_named = 5;     // hosts, before the bar
constexpr std::size_t max_perfdata = 32; // hosts, after the bar

std::string limit_text(Duration limit) {
    return fmt::format("{:g}", in_seconds(limit));
}

// Why a reading does not prove that a clock is right. Sources of whole seconds are a frequent trap:
// with such a source, no clock can pass a limit of 100 ms.
std::string vague_text(const clocks::Reading& reading, Duration limit) {
    const bool has_better = reading.resolution >= std::chrono::seconds{1};
    return fmt::format("is not known to {} s{}: {}", limit_text(limit),
                       has_better ? " (use --via ntp or --precise)" : "", offset_text(reading));
}

Judgement judge_offset(const clocks::Answer& answer, const CheckLimits& limits) {
    const auto& reading = *answer.reading;
    const auto lowest = limits.warn ? limits.warn : limits.critical;
    if (!lowest) return {};
    auto reason = offset_text(reading);
    if (const auto remarks = remarks_of(answer); !remarks.empty())
        reason += fmt::format(" ({})", fmt::join(remarks, ", "));
    const auto deviation = clocks::min_deviation(reading);
    if (limits.critical && deviation >= *limits.critical)
        return {CheckState::critical, std::move(reason)};
    if (deviation >= *lowest) return {CheckState::warning, std::move(reason)};
    if (reading.error > *lowest) return {CheckState::warning, vague_text(reading, *lowest)};
    return {};
}

Judgement judge_stratum(const clocks::Answer& answer, const CheckLimits& limits) {
    if (!limits.stratum_warn && !limits.stratum_critical) return {};
    if (!answer.sntp) return {CheckState::unknown, "has an answer without a stratum"};
    const auto stratum = answer.sntp->stratum;
    auto reason = fmt::format("is at stratum {}", stratum);
    if (limits.stratum_critical && stratum > *limits.stratum_critical)
        return {CheckState::critical, std::move(reason)};
    if (limits.stratum_warn && stratum > *limits.stratum_warn)
        return {CheckState::warning, std::move(reason)};
    return {};
}

template <class Limit, class Text>
std::string limit_or_nothing(const std::optional<Limit>& limit, Text text) {
    return limit ? text(*limit) : std::string{};
}

} // namespace

std::string_view name_of(CheckState state) {
    constexpr std::string_view names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
    return names[static_cast<std::size_t>(state)];
}

CheckState worse(CheckState one, CheckState other) {
    constexpr int badness[] = {0, 1, 3, 2};
    const auto of = [&](CheckState state) { return badness[static_cast<std::size_t>(state)]; };
    return of(one) < of(other) ? other : one;
}

Judgement judge(const clocks::Answer& answer, const CheckLimits& limits) {
    if (!answer.reading) return {CheckState::critical, answer.problem};
    if (has_failed(answer))
        return {CheckState::critical, offset_text(*answer.reading) + " (never set)"};
    auto offset = judge_offset(answer, limits);
    auto stratum = judge_stratum(answer, limits);
    Judgement both{worse(offset.state, stratum.state), std::move(offset.reason)};
    if (!both.reason.empty() && !stratum.reason.empty()) both.reason += " and ";
    both.reason += stratum.reason;
    return both;
}

// --- The verdict

std::string Verdict::line(std::string_view program) const {
    std::string title{program};
    std::ranges::transform(title, title.begin(), ascii::upper);
    auto words = text;
    // Replace bars, which begin performance data. A server's kiss of death can contain one.
    std::ranges::replace(words, '|', '/');
    std::ranges::replace_if(words, ascii::is_control, ' ');
    const auto* const bar = performance_data.empty() ? "" : " | ";
    return fmt::format("{} {} - {}{}{}\n", title, name_of(state), words, bar, performance_data);
}

std::string Verdict::object() const {
    cli::JsonLine object;
    object.set("type", "state").set("state", name_of(state)).set("text", text);
    if (hosts)
        object.set("hosts", *hosts).set("not_ok", not_ok);
    else
        object.set_null("hosts").set_null("not_ok");
    return object.text();
}

Verdict unknown_verdict(std::string_view reason) {
    return {.state = CheckState::unknown, .text = std::string{reason}};
}

// --- The check

Judgement Check::add(std::size_t number, const std::string& name, const clocks::Answer& answer) {
    auto judgement = judge(answer, limits_);
    Entry entry{name, judgement, std::nullopt, std::nullopt};
    if (answer.reading) entry.offset = answer.reading->offset;
    if (answer.reading && answer.sntp) entry.stratum = answer.sntp->stratum;
    entries_.emplace(number, std::move(entry));
    return judgement;
}

void Check::add_bad_lines(std::size_t count, std::string_view first) {
    bad_lines_ = count;
    first_bad_line_ = first;
}

std::size_t Check::not_ok() const {
    const auto is_bad = [](const auto& entry) {
        return entry.second.judgement.state != CheckState::ok;
    };
    return static_cast<std::size_t>(std::ranges::count_if(entries_, is_bad)) + unheard_;
}

Verdict Check::verdict() const {
    auto state = CheckState::ok;
    for (const auto& [number, entry] : entries_)
        state = worse(state, entry.judgement.state);
    if (unheard_ > 0) state = worse(state, CheckState::critical);
    if (!has_majority_) state = worse(state, CheckState::warning);
    if (bad_lines_ > 0) state = worse(state, CheckState::unknown);
    return {state, text(), hosts(), not_ok(), performance_data()};
}

std::string Check::text() const {
    std::vector<std::string> named;
    std::size_t more = 0;
    for (const auto& [number, entry] : entries_) {
        if (entry.judgement.state == CheckState::ok) continue;
        if (named.size() < max_named)
            named.push_back(fmt::format("{} {}", entry.name, entry.judgement.reason));
        else
            ++more;
    }
    if (unheard_ > 0) named.push_back(fmt::format("{} interrupted", unheard_));
    auto text = named.empty()
                    ? fmt::format("{} in time", counted(hosts(), "host"))
                    : fmt::format("{} of {}: {}", not_ok(), hosts(), fmt::join(named, ", "));
    if (more > 0) text += fmt::format(" and {} more", more);
    if (!has_majority_) text += ", but no majority agrees";
    if (bad_lines_ > 0)
        text += fmt::format(", but {} no host ({})", counted(bad_lines_, "line is", "lines are"),
                            first_bad_line_);
    return text;
}

std::string Check::performance_data() const {
    auto data = fmt::format("hosts={} not_ok={}", hosts(), not_ok());
    if (bad_lines_ > 0) data += fmt::format(" bad_lines={}", bad_lines_);
    const bool has_stratum = limits_.stratum_warn || limits_.stratum_critical;
    const auto answered = std::ranges::count_if(
        entries_, [](const auto& entry) { return entry.second.offset.has_value(); });
    if (static_cast<std::size_t>(answered) > max_perfdata) return data;
    const auto number = [](int limit) { return fmt::format("{}", limit); };
    std::set<std::string_view> told; // a repeated name would mix two hosts in a graph
    for (const auto& [at, entry] : entries_) {
        if (!entry.offset || !told.insert(entry.name).second) continue;
        data += fmt::format(" '{}'={:.6f}s;{};{}", entry.name, in_seconds(*entry.offset),
                            limit_or_nothing(limits_.warn, limit_text),
                            limit_or_nothing(limits_.critical, limit_text));
        if (has_stratum && entry.stratum)
            data += fmt::format(" '{} stratum'={};{};{}", entry.name, *entry.stratum,
                                limit_or_nothing(limits_.stratum_warn, number),
                                limit_or_nothing(limits_.stratum_critical, number));
    }
    return data;
}

} // namespace ipcbox::front
