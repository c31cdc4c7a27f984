#include "process/respawn.h"

#include "core/duration.h"
#include "core/number.h"

#include <algorithm>
#include <stdexcept>

namespace ipcbox::process {

RespawnLimit parse_respawn_limit(std::string_view text) {
    const auto slash = text.find('/');
    const auto max = whole_number<int>(text.substr(0, slash));
    const auto window =
        slash == std::string_view::npos ? std::nullopt : duration_in(text.substr(slash + 1));
    if (!max || *max < 1 || !window || *window <= Duration::zero())
        throw std::invalid_argument("expected MAX/WINDOW, such as 5/1m for at most five starts "
                                    "again in a minute");
    return {*max, *window};
}

std::optional<Duration> Respawn::after(Time started, Time ended) {
    constexpr Duration first_pause = std::chrono::milliseconds{100};
    constexpr Duration max_pause = std::chrono::seconds{30};
    if (ended - started >= limit_.window) {
        ends_.clear();
        pause_ = Duration::zero();
    }
    while (!ends_.empty() && ended - ends_.front() >= limit_.window)
        ends_.pop_front();
    if (ends_.size() >= static_cast<std::size_t>(limit_.max)) return std::nullopt;
    ends_.push_back(ended);
    pause_ = std::clamp(pause_ * 2, first_pause, max_pause);
    return pause_;
}

} // namespace ipcbox::process
