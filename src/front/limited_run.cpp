#include "front/limited_run.h"

#include "cli/output.h"
#include "core/duration.h"
#include "core/error.h"
#include "core/signals.h"

#include <algorithm>
#include <fmt/core.h>

namespace ipcbox::front {

LimitedRun::LimitedRun(const RunLimits& limits, const Command& command)
    : limits_(limits), idle_(limits.idle), name_(command.words().front()),
      command_(command.program(), command.words(), plan()) {
    start_ = Deadline::Clock::now(); // after any pauses of --retry-fork
    limit_ = Deadline::after(limits.time);
}

WaitStatus LimitedRun::to_end() {
    auto status = until_time_is_up();
    while (!status && next_ < limits_.stages.size()) {
        send_next();
        status = until(last_stage_end());
    }
    // After the last stage, wait without a limit.
    if (!status) status = until(Deadline::never());
    end_rest_of_tree();
    return *status;
}

double LimitedRun::seconds() const {
    return std::chrono::duration<double>{Deadline::Clock::now() - start_}.count();
}

int LimitedRun::exit_status(WaitStatus status) const {
    if (end_ == End::by_itself) return process::end_as(status);
    const bool was_killed = last_signal_ == SIGKILL && status.signal() == SIGKILL;
    return was_killed ? status.as_exit_status() : exit_status::timed_out;
}

process::SupervisePlan LimitedRun::plan() {
    using Plan = process::SupervisePlan;
    Plan plan;
    if (limits_.reach == RunLimits::Reach::command)
        plan.group = Plan::Group::ours;
    else
        plan.extent = Plan::Extent::tree;
    plan.retry = &limits_.fork_retry;
    // Our caller may ignore TERM. The command would inherit that, and would not end in time.
    plan.default_signals = signal_set({});
    for (const auto& stage : limits_.stages)
        sigaddset(&*plan.default_signals, stage.signal);
    plan.on_signal = [this](const SignalEvent& event) { return on_signal(event.number); };
    return plan;
}

// As in timeout(1), ALRM means that the time is up, and any other signal that we pass on starts the
// time of -k.
bool LimitedRun::on_signal(int signal) {
    if (signal == SIGALRM) {
        limit_ = std::min(limit_, Deadline::after(Duration::zero()));
        command_.set_limit(limit_);
        return false;
    }
    if (asks_to_end(signal) && limits_.stages.size() > 1 && !was_asked_to_end_) {
        was_asked_to_end_ = true;
        limit_ = std::min(limit_, Deadline::after_or_never(limits_.stages.front().wait));
        command_.set_limit(limit_);
        next_ = 1; // the command has just got a first signal
    }
    return true;
}

// Nothing when the time is up.
std::optional<WaitStatus> LimitedRun::until_time_is_up() {
    for (;;) {
        if (auto status = until(std::min(limit_, idle_.next()))) return status;
        if (limit_.passed()) {
            end_ = End::time_up;
            return std::nullopt;
        }
        if (idle_.is_idle()) {
            end_ = End::idle;
            return std::nullopt;
        }
    }
}

std::optional<WaitStatus> LimitedRun::until(Deadline deadline) {
    command_.set_limit(deadline);
    return command_.wait();
}

void LimitedRun::send_next() {
    last_signal_ = limits_.stages[next_++].signal;
    if (limits_.is_verbose)
        cli::diagnose(fmt::format("{} after {}: sending {} to {} ({})",
                                  end_ == End::idle ? "idle" : "time is up",
                                  rounded_duration(Deadline::Clock::now() - start_),
                                  signal_name(last_signal_), name_, command_.pid()));
    (void)command_.signal(last_signal_);
}

Deadline LimitedRun::last_stage_end() const {
    return Deadline::after_or_never(limits_.stages[next_ - 1].wait);
}

// If the command has ended but other processes of its tree have not, sends them the remaining
// stages.
void LimitedRun::end_rest_of_tree() {
    if (last_signal_ == 0 || limits_.reach == RunLimits::Reach::command) return;
    while (next_ < limits_.stages.size()) {
        command_.set_limit(last_stage_end());
        if (command_.wait_for_all()) return;
        send_next();
    }
    // Wait until the killed processes have ended, so that their locks and ports are free. Do not
    // wait long, because one may hang in the kernel.
    constexpr auto patience = std::chrono::seconds{1};
    command_.set_limit(Deadline::after(patience));
    if (last_signal_ == SIGKILL) (void)command_.wait_for_all();
}

} // namespace ipcbox::front
