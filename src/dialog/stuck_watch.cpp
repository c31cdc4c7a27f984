#include "dialog/stuck_watch.h"

#include "process/tree.h"

#include <algorithm>
#include <unistd.h>

namespace ipcbox::dialog {

std::optional<Duration> StuckWatch::every() const {
    if (limit_ == Duration::max()) return std::nullopt;
    return std::max<Duration>(limit_ / 8, std::chrono::milliseconds{10});
}

bool StuckWatch::is_stuck_now(std::span<const pid_t> commands) {
    const auto now = process::activity_below(::getpid());
    const bool all_wait =
        commands.size() == parties_ &&
        std::ranges::all_of(commands, [this](pid_t command) { return waits(command); });
    if (!all_wait || now != last_) since_ = Deadline::Clock::now();
    last_ = now;
    if (was_told_ || Deadline::Clock::now() - since_ < limit_) return false;
    was_told_ = true;
    return true;
}

bool StuckWatch::waits(pid_t command) const {
    return process::waits_for_input(command) ||
           (on_terminal_ &&
            std::ranges::any_of(process::descendants_of(command), process::waits_for_input));
}

} // namespace ipcbox::dialog
