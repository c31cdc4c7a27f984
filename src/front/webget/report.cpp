#include "front/webget/report.h"

#include "cli/json.h"
#include "cli/output.h"
#include "core/ascii.h"
#include "core/io.h"
#include "front/webget/progress.h"
#include "front/webget/write_out.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::front {

namespace {

using download::Outcome;
using download::Target;
using Time = Deadline::Clock::time_point;

double seconds(Time from, Time to) {
    return to < from ? 0.0 : in_seconds(to - from);
}
double milliseconds(Time from, Time to) {
    return 1000 * seconds(from, to);
}

std::string version_of(const Outcome& outcome) {
    return outcome.head->version == 10 ? "1.0" : "1.1";
}

double rate_of(const Outcome& outcome) {
    const double time = seconds(outcome.began, outcome.ended);
    return time > 0 ? static_cast<double>(outcome.bytes) / time : 0;
}

std::string summary(const Target& target, const Outcome& outcome) {
    const auto& name = outcome.file.empty() ? target.url.text() : outcome.file;
    const auto status = outcome.head ? fmt::format("{}", outcome.head->status) : "-";
    const auto from = outcome.resumed_at > 0 ? fmt::format(" from {} on", outcome.resumed_at) : "";
    return fmt::format("{}: {}, {} bytes{} in {:.3f} s ({}/s)", name, status, outcome.bytes, from,
                       seconds(outcome.began, outcome.ended), human_bytes(rate_of(outcome)));
}

std::string json_line(const Target& target, const Outcome& outcome) {
    cli::JsonLine line;
    line.set("url", target.url.text()).set("effective_url", outcome.url.text_with_fragment());
    if (outcome.head) {
        line.set("status", outcome.head->status).set("reason", outcome.head->reason);
        line.set("http_version", version_of(outcome));
        for (const auto& [name, value] : outcome.head->fields)
            line.add("headers", ascii::lower(name), value);
    } else {
        line.set_null("status");
    }
    line.set("exit_status", outcome.status);
    if (outcome.error.empty())
        line.set_null("error");
    else
        line.set("error", outcome.error);
    if (outcome.file.empty())
        line.set_null("file");
    else
        line.set("file", outcome.file);
    line.set("bytes", outcome.bytes).set("resumed_at", outcome.resumed_at);
    line.set("redirects", outcome.redirects).set("retries", outcome.retries);
    const auto& [start, resolved, connected, secured, first_byte, tunnel] = outcome.milestones;
    line.set("dns_ms", milliseconds(start, resolved));
    line.set("connect_ms", milliseconds(resolved, connected));
    line.set("tls_ms", milliseconds(connected, secured));
    line.set("first_byte_ms", milliseconds(start, first_byte));
    line.set("total_ms", milliseconds(outcome.began, outcome.ended));
    if (outcome.sha256.empty())
        line.set_null("sha256");
    else
        line.set("sha256", outcome.sha256);
    return line.text();
}

} // namespace

FetchReport::FetchReport(const FetchConfig& config, std::function<void()> before_line)
    : config_(config), before_line_(std::move(before_line)) {
    for (const auto& warning : config.warnings)
        if (config.tell_errors) diagnose(warning);
}

void FetchReport::diagnose(const std::string& line) {
    before_line_();
    cli::diagnose(line);
}

std::string FetchReport::tell(const Target& target, const Outcome& outcome) {
    ++done_;
    failed_ += outcome.status != 0;
    worst_ = std::max(worst_, outcome.status);
    if (config_.tell_errors)
        for (const auto& warning : outcome.warnings)
            diagnose(fmt::format("{}: {}", outcome.url.text(), warning));
    if (config_.verbosity.verbose)
        for (const auto& note : outcome.notes)
            diagnose(note);
    if (!outcome.error.empty() && config_.tell_errors)
        diagnose(fmt::format("{}: {}", outcome.url.text(), outcome.error));
    if (config_.verbosity.verbose) {
        if (config_.targets.size() == 1)
            diagnose(summary(target, outcome));
        else
            table_.push_back(summary(target, outcome));
    }
    auto text = config_.json ? json_line(target, outcome) : std::string{};
    const auto written = write_out(config_.write_out, target, outcome);
    if (!written.err.empty()) {
        before_line_();
        write_all(STDERR_FILENO,
                  cli::is_terminal(STDERR_FILENO) ? cli::visible(written.err) : written.err,
                  "standard error");
    }
    return text + written.out;
}

int FetchReport::finish() {
    for (const auto& line : table_)
        diagnose(line);
    if (config_.targets.size() > 1 && (failed_ > 0 || config_.verbosity.verbose) &&
        config_.tell_errors)
        diagnose(fmt::format("fetched {} of {} documents, {} failed", done_ - failed_,
                             config_.targets.size(), config_.targets.size() - done_ + failed_));
    return worst_;
}

} // namespace ipcbox::front
