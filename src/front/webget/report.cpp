#include "front/webget/report.h"

#include "cli/json.h"
#include "cli/output.h"
#include "core/ascii.h"
#include "front/webget/progress.h"

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

std::string seconds_text(Time from, Time to) {
    return fmt::format("{:.6f}", seconds(from, to));
}

std::string field_of(const Outcome& outcome, std::string_view name) {
    const auto* value = outcome.head ? outcome.head->find(name) : nullptr;
    return value != nullptr ? *value : std::string{};
}

std::string redirect_of(const Outcome& outcome) {
    const auto location = field_of(outcome, "Location");
    if (location.empty()) return {};
    try {
        return outcome.url.resolve(location).text();
    } catch (const std::invalid_argument&) {
        return location;
    }
}

double rate_of(const Outcome& outcome) {
    const double time = seconds(outcome.began, outcome.ended);
    return time > 0 ? static_cast<double>(outcome.bytes) / time : 0;
}

std::string version_of(const Outcome& outcome) {
    if (!outcome.head) return "0";
    return outcome.head->version == 10 ? "1.0" : "1.1";
}

struct Variable {
    std::string_view name;
    std::string (*value)(const Target& target, const Outcome& outcome);
};

// curl's, and their values in curl's form.
constexpr Variable variables[] = {
    {"content_type",
     [](const Target&, const Outcome& outcome) { return field_of(outcome, "Content-Type"); }},
    {"errormsg", [](const Target&, const Outcome& outcome) { return outcome.error; }},
    {"exitcode",
     [](const Target&, const Outcome& outcome) { return fmt::format("{}", outcome.status); }},
    {"filename_effective", [](const Target& target, const Outcome&) { return target.file; }},
    {"http_code",
     [](const Target&, const Outcome& outcome) {
         return fmt::format("{:03}", outcome.head ? outcome.head->status : 0);
     }},
    {"http_version", [](const Target&, const Outcome& outcome) { return version_of(outcome); }},
    {"num_redirects",
     [](const Target&, const Outcome& outcome) { return fmt::format("{}", outcome.redirects); }},
    {"num_retries",
     [](const Target&, const Outcome& outcome) { return fmt::format("{}", outcome.retries); }},
    {"redirect_url", [](const Target&, const Outcome& outcome) { return redirect_of(outcome); }},
    {"response_code",
     [](const Target&, const Outcome& outcome) {
         return fmt::format("{:03}", outcome.head ? outcome.head->status : 0);
     }},
    {"scheme", [](const Target&, const Outcome& outcome) { return outcome.url.scheme; }},
    {"size_download",
     [](const Target&, const Outcome& outcome) { return fmt::format("{}", outcome.bytes); }},
    {"size_header",
     [](const Target&, const Outcome& outcome) {
         return fmt::format("{}", outcome.head ? outcome.head->bytes.size() : 0);
     }},
    {"speed_download",
     [](const Target&, const Outcome& outcome) { return fmt::format("{:.0f}", rate_of(outcome)); }},
    {"time_appconnect",
     [](const Target&, const Outcome& outcome) {
         return seconds_text(outcome.milestones.start, outcome.url.is_https()
                                                           ? outcome.milestones.secured
                                                           : outcome.milestones.start);
     }},
    {"time_connect",
     [](const Target&, const Outcome& outcome) {
         return seconds_text(outcome.milestones.start, outcome.milestones.connected);
     }},
    {"time_namelookup",
     [](const Target&, const Outcome& outcome) {
         return seconds_text(outcome.milestones.start, outcome.milestones.resolved);
     }},
    {"time_starttransfer",
     [](const Target&, const Outcome& outcome) {
         return seconds_text(outcome.milestones.start, outcome.milestones.first_byte);
     }},
    {"time_total",
     [](const Target&, const Outcome& outcome) {
         return seconds_text(outcome.began, outcome.ended);
     }},
    {"url", [](const Target& target, const Outcome&) { return target.url.text(); }},
    {"url_effective", [](const Target&, const Outcome& outcome) { return outcome.url.text(); }},
};

std::string value_of(std::string_view name, const Target& target, const Outcome& outcome) {
    const auto* found = std::ranges::find(variables, name, &Variable::name);
    if (found == std::end(variables))
        throw cli::UsageError(fmt::format("--write-out: there is no %{{{}}}", name));
    return found->value(target, outcome);
}

char escaped(char letter) {
    return letter == 'n' ? '\n' : letter == 'r' ? '\r' : letter == 't' ? '\t' : letter;
}

std::string summary(const Target& target, const Outcome& outcome) {
    const auto& name = target.file.empty() ? target.url.text() : target.file;
    const auto status = outcome.head ? fmt::format("{}", outcome.head->status) : "-";
    const auto from = outcome.resumed_at > 0 ? fmt::format(" from {} on", outcome.resumed_at) : "";
    return fmt::format("{}: {}, {} bytes{} in {:.3f} s ({}/s)", name, status, outcome.bytes, from,
                       seconds(outcome.began, outcome.ended), human_bytes(rate_of(outcome)));
}

std::string json_line(const Target& target, const Outcome& outcome) {
    cli::JsonLine line;
    line.set("url", target.url.text()).set("effective_url", outcome.url.text());
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
    if (target.file.empty())
        line.set_null("file");
    else
        line.set("file", target.file);
    line.set("bytes", outcome.bytes).set("resumed_at", outcome.resumed_at);
    line.set("redirects", outcome.redirects).set("retries", outcome.retries);
    const auto& [start, resolved, connected, secured, first_byte] = outcome.milestones;
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

// The name in "%{name}" or "%header{name}", which begins behind SIZE bytes of FORMAT; that goes on
// behind the brace.
std::string_view take_name(std::string_view& format, std::size_t size) {
    const auto end = format.find('}');
    if (end == std::string_view::npos) throw cli::UsageError("--write-out: a %{ has no }");
    const auto name = format.substr(size, end - size);
    format.remove_prefix(end + 1);
    return name;
}

} // namespace

std::string write_out(std::string_view format, const Target& target, const Outcome& outcome) {
    constexpr std::string_view variable = "%{";
    constexpr std::string_view header = "%header{";
    std::string text;
    while (!format.empty()) {
        if (format.starts_with(variable)) {
            text += value_of(take_name(format, variable.size()), target, outcome);
        } else if (format.starts_with(header)) {
            text += field_of(outcome, take_name(format, header.size()));
        } else if (format.starts_with("%%")) {
            text += '%';
            format.remove_prefix(2);
        } else if (format.front() == '\\' && format.size() > 1) {
            text += escaped(format[1]);
            format.remove_prefix(2);
        } else {
            text += format.front();
            format.remove_prefix(1);
        }
    }
    return text;
}

FetchReport::FetchReport(const FetchConfig& config, std::function<void()> before_line)
    : config_(config), before_line_(std::move(before_line)) {
    // A mistake in it is told before anything is fetched.
    if (!config.targets.empty()) (void)write_out(config.write_out, config.targets.front(), {});
}

void FetchReport::diagnose(const std::string& line) {
    before_line_();
    cli::diagnose(cli::is_terminal(2) ? cli::visible(line) : line);
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
    return text + write_out(config_.write_out, target, outcome);
}

int FetchReport::finish() {
    for (const auto& line : table_)
        diagnose(line);
    if (config_.targets.size() > 1 && (failed_ > 0 || config_.verbosity.verbose) &&
        config_.tell_errors)
        diagnose(fmt::format("{} of {} documents are here, {} failed", done_ - failed_,
                             config_.targets.size(), config_.targets.size() - done_ + failed_));
    return worst_;
}

} // namespace ipcbox::front
