#include "front/daemon/plans.h"

#include "core/error.h"

namespace ipcbox::front {

process::ReadyPlan ready_plan(const DaemonConfig& config) {
    process::ReadyPlan plan;
    plan.by_descriptor = config.ready_fd.has_value();
    plan.by_notification = config.ready_notify;
    if (config.user) plan.user = config.user->uid;
    plan.port = config.ready_port;
    plan.settle = config.settle;
    plan.limit = config.ready_timeout;
    if (!config.ready_log) return plan;
    plan.is_ready_line = [&pattern = *config.ready_log](std::string_view line) {
        try {
            return pattern.matches(line);
        } catch (const Error&) { // the pattern takes too long here
            return false;
        }
    };
    if (config.needs_keeper()) return plan; // the keeper reads the output itself
    for (const auto& file : {config.output, config.error})
        if (file) plan.files.push_back(*file);
    return plan;
}

process::LogPlan log_plan(const DaemonConfig& config, std::string_view name) {
    using Start = process::RotatingLog::Start;
    process::LogPlan plan;
    plan.output = config.output;
    plan.error = config.error;
    plan.rotation = config.rotation;
    plan.start = config.appends ? Start::append : Start::truncate;
    if (config.syslog) plan.system_tag = name;
    return plan;
}

} // namespace ipcbox::front
