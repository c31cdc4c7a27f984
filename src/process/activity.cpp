#include "process/activity.h"

#include "core/number.h"
#include "core/process_stat.h"
#include "process/tree.h"

#include <algorithm>
#include <fmt/core.h>
#include <string_view>
#include <sys/syscall.h>
#include <unistd.h>

namespace ipcbox::process {

namespace {

// The number after NAME in /proc/PID/io, whose lines are like "rchar: 1234".
std::uint64_t value_of(std::string_view text, std::string_view name) {
    const auto at = text.find(name);
    if (at == std::string_view::npos) return 0;
    text.remove_prefix(at + name.size());
    return whole_number<std::uint64_t>(text.substr(0, text.find('\n'))).value_or(0);
}

} // namespace

Activity activity_below(pid_t root) {
    Activity activity;
    for (const pid_t pid : descendants_of(root)) {
        const auto stat = read_process_stat(pid);
        if (!stat || stat->has_ended()) continue;
        activity.cpu_ticks += stat->cpu_ticks;
        activity.processes += static_cast<std::uint64_t>(pid) * stat->start_ticks;
        if (const auto io = read_process_file(pid, "io"))
            activity.bytes += value_of(*io, "rchar: ") + value_of(*io, "wchar: ");
    }
    return activity;
}

bool waits_for_input(pid_t pid) {
    // The number of the call, and then its arguments. The first argument is the descriptor.
    const auto text = read_process_file(pid, "syscall");
    return text && text->starts_with(fmt::format("{} 0x0 ", SYS_read));
}

Deadline IdleWatch::next() const {
    if (!limit_) return Deadline::never();
    // Look a few times within each limit, but do not keep the CPU busy.
    constexpr auto shortest = std::chrono::milliseconds{10};
    return Deadline::after(std::max<Duration>(*limit_ / 8, shortest));
}

bool IdleWatch::is_idle() {
    if (!limit_) return false;
    const auto now = activity_below(::getpid());
    if (now != last_) {
        last_ = now;
        since_ = Deadline::Clock::now();
    }
    return Deadline::Clock::now() - since_ >= *limit_;
}

} // namespace ipcbox::process
