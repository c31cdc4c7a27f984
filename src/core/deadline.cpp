#include "core/deadline.h"

#include <algorithm>

namespace ipcbox {

Deadline Deadline::after(Duration duration) {
    const auto now = Clock::now();
    if (duration >= Clock::time_point::max() - now) return never();
    return Deadline{now + std::max(duration, Duration::zero())};
}

Deadline Deadline::after_or_never(std::optional<Duration> duration) {
    return duration ? after(*duration) : never();
}

std::optional<Duration> Deadline::remaining() const {
    if (is_never()) return std::nullopt;
    return std::max(Duration{when_ - Clock::now()}, Duration::zero());
}

Timeout::Timeout(Deadline deadline) : endless_(deadline.is_never()) {
    if (endless_) return;
    const auto left = *deadline.remaining();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
    spec_.tv_sec = static_cast<time_t>(seconds.count());
    spec_.tv_nsec = static_cast<long>((left - seconds).count());
}

} // namespace ipcbox
