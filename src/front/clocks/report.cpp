#include "front/clocks/report.h"

#include "cli/output.h"

#include <algorithm>
#include <ctime>
#include <fmt/format.h>
#include <unistd.h>

namespace ipcbox::front {

ClockReport::ClockReport(const ClockConfig& config)
    : config_(config), form_{config.name_columns, config.detailed},
      drifts_(config.watch ? config.hosts.size() : 0), check_(config.limits) {}

int ClockReport::status() const {
    if (config_.monitors()) return static_cast<int>(worst_);
    const bool has_failed = has_failures_ || config_.bad_lines.count > 0;
    return has_failed ? exit_status::failed : exit_status::done;
}

void ClockReport::begin_round() {
    held_.clear();
    next_row_ = 0;
    found_ = 0;
    readings_.clear();
    agreement_ = {};
    check_ = Check{config_.limits};
    if (config_.json || config_.monitors() || config_.verbosity.quiet) return;
    cli::print(own_row(form_, std::time(nullptr)));
}

// --- Each host

void ClockReport::found(std::size_t number, clocks::Finding finding) {
    const auto& answer = finding.answer;
    ++found_;
    if (answer.reading) {
        readings_.push_back({number, *answer.reading});
        if (config_.watch) drifts_[number].add(Deadline::Clock::now(), *answer.reading);
    }
    has_failures_ = has_failures_ || has_failed(answer);
    const auto name = name_of(number, finding.address);
    const auto judgement = check_.add(number, name, answer);
    const bool is_hidden = config_.verbosity.quiet
                               ? judgement.state == CheckState::ok
                               : config_.monitors() && !config_.json && !config_.verbosity.verbose;
    if (is_hidden)
        print_in_order(number, {});
    else if (config_.json)
        print_in_order(number, object(number, finding, judgement));
    else
        print_in_order(number, host_row(form_, name, finding, drift_of(number)));
}

std::string ClockReport::name_of(std::size_t number, const net::Address& address) const {
    const bool has_address = address.family() != AF_UNSPEC;
    return config_.numeric && has_address ? address.host() : config_.hosts[number].called();
}

std::optional<double> ClockReport::drift_of(std::size_t number) const {
    return config_.watch ? drifts_[number].ppm() : std::nullopt;
}

std::string ClockReport::object(std::size_t number, const clocks::Finding& finding,
                                const Judgement& judgement) const {
    cli::JsonLine line;
    line.set("type", "host");
    describe_host(line, config_.hosts[number], finding, drift_of(number));
    if (config_.monitors()) {
        line.set("state", front::name_of(judgement.state));
        if (judgement.reason.empty())
            line.set_null("reason");
        else
            line.set("reason", judgement.reason);
    }
    if (finding.answer.reading)
        line.set_null("error");
    else
        line.set("error", finding.answer.problem);
    return line.text();
}

// --- Their order

// In a check, the rows come after its line.
void ClockReport::print_in_order(std::size_t number, std::string row) {
    const bool is_held = config_.monitors() && !config_.json;
    if (config_.as_completed && !is_held) return cli::print(row);
    held_.emplace(number, std::move(row));
    while (!is_held && !held_.empty() && held_.begin()->first == next_row_) {
        cli::print(held_.begin()->second);
        held_.erase(held_.begin());
        ++next_row_;
    }
}

void ClockReport::print_held_rows() {
    for (const auto& [number, row] : held_)
        cli::print(row);
    held_.clear();
}

void ClockReport::waiting() {
    cli::flush();
}

// --- All of them

void ClockReport::end_round(const clocks::Ignored& ignored) {
    std::ranges::sort(readings_, {}, &HostReading::number);
    if (config_.consensus) {
        agreement_ = agreement_of(readings_);
        if (!agreement_.is_majority()) {
            has_failures_ = true;
            check_.add_disagreement();
        }
    }
    if (config_.monitors()) print_verdict(config_.hosts.size() - found_);
    print_held_rows();
    if (config_.consensus) print_consensus();
    if (config_.summary) print_summary();
    cli::flush();
    tell_ignored(ignored);
}

void ClockReport::print_verdict(std::size_t unheard) {
    check_.add_unheard(unheard);
    check_.add_bad_lines(config_.bad_lines.count, config_.bad_lines.first);
    const auto verdict = check_.verdict();
    worst_ = worse(worst_, verdict.state);
    cli::print(config_.json ? verdict.object() : verdict.line(cli::program_name()));
}

void ClockReport::print_consensus() {
    const auto text = config_.json ? consensus_object : consensus_text;
    cli::print(text(agreement_, readings_, config_.hosts));
}

void ClockReport::print_summary() const {
    const auto failed = found_ - readings_.size(); // a clock that is not set has still answered
    if (config_.json) return cli::print(summary_object(readings_, failed));
    const auto picture = cli::is_terminal(STDOUT_FILENO) ? Picture::bars : Picture::none;
    cli::print(summary_text(readings_, failed, picture));
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

} // namespace ipcbox::front
