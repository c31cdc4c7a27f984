// How much of the kernel's limits for System V objects is used, as a table, and as one verdict for
// monitoring. The text, the object and the exit status follow from it.
#pragma once

#include "sysv/limits.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::front {

struct LimitsCheck {
    // Percent of a limit.
    std::optional<double> warn = {};
    std::optional<double> critical = {};

    [[nodiscard]] bool any() const { return warn || critical; }
};

// The values are the exit statuses of a monitoring plug-in.
enum class LimitState { ok = 0, warning = 1, critical = 2 };

[[nodiscard]] std::string_view name_of(LimitState state);
[[nodiscard]] LimitState judge(const sysv::Limit& limit, const LimitsCheck& check);
// The worst state of all limits.
[[nodiscard]] LimitState judge(const std::vector<sysv::Limit>& limits, const LimitsCheck& check);

// "semmni  12 of 32000 semaphore sets (0.0 %)": one line for each limit.
[[nodiscard]] std::vector<std::string> table_of(const std::vector<sysv::Limit>& limits);
// "IPC WARNING - semmni 28000 of 32000 (87.5 %) | semmni=28000;…": one line for a check.
[[nodiscard]] std::string verdict_of(const std::vector<sysv::Limit>& limits,
                                     const LimitsCheck& check);
// One object for each limit, with its line feed.
[[nodiscard]] std::string json_of(const sysv::Limit& limit, const LimitsCheck& check);

} // namespace ipcbox::front
