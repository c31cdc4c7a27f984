#include "front/ipc/limits_report.h"

#include "cli/json.h"

#include <algorithm>
#include <fmt/format.h>

namespace ipcbox::front {

namespace {

using sysv::Limit;

std::string text_of(const Limit& limit) {
    return fmt::format("{} {} of {} ({:.1f} %)", limit.name, limit.used, limit.max,
                       limit.percent());
}

// PERCENT of the limit, in its unit. Empty when there is no PERCENT.
std::string threshold(const Limit& limit, std::optional<double> percent) {
    return percent ? fmt::format("{:.0f}", static_cast<double>(limit.max) * *percent / 100)
                   : std::string{};
}

} // namespace

std::string_view name_of(LimitState state) {
    return state == LimitState::ok ? "OK" : state == LimitState::warning ? "WARNING" : "CRITICAL";
}

LimitState judge(const Limit& limit, const LimitsCheck& check) {
    if (check.critical && limit.percent() >= *check.critical) return LimitState::critical;
    if (check.warn && limit.percent() >= *check.warn) return LimitState::warning;
    return LimitState::ok;
}

LimitState judge(const std::vector<Limit>& limits, const LimitsCheck& check) {
    auto worst = LimitState::ok;
    for (const auto& limit : limits)
        worst = std::max(worst, judge(limit, check));
    return worst;
}

std::vector<std::string> table_of(const std::vector<Limit>& limits) {
    std::vector<std::string> lines;
    for (const auto& limit : limits)
        lines.push_back(fmt::format("{}  {} of {} {} ({:.1f} %, {})", limit.name, limit.used,
                                    limit.max, limit.what, limit.percent(), limit.sysctl));
    return lines;
}

std::string verdict_of(const std::vector<Limit>& limits, const LimitsCheck& check) {
    const auto state = judge(limits, check);
    std::string text;
    std::string data;
    for (const auto& limit : limits) {
        if (state != LimitState::ok && judge(limit, check) == state)
            text.append(text.empty() ? "" : ", ").append(text_of(limit));
        data +=
            fmt::format(" {}={};{};{};0;{}", limit.name, limit.used, threshold(limit, check.warn),
                        threshold(limit, check.critical), limit.max);
    }
    if (text.empty()) {
        const auto fullest = std::ranges::max_element(limits, {}, &Limit::percent);
        text = fullest == limits.end() ? "no limits" : text_of(*fullest);
    }
    return fmt::format("IPC {} - {} |{}", name_of(state), text, data);
}

std::string json_of(const Limit& limit, const LimitsCheck& check) {
    cli::JsonLine line;
    line.set("limit", limit.name).set("what", limit.what).set("used", limit.used);
    line.set("max", limit.max).set("percent", limit.percent());
    if (check.any()) line.set("state", name_of(judge(limit, check)));
    return line.text();
}

} // namespace ipcbox::front
