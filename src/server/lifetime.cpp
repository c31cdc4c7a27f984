#include "server/lifetime.h"

#include "server/connection.h"

#include <csignal>
#include <utility>

namespace ipcbox::server {

auto Lifetime::take(int signal) -> Order {
    if (signal == SIGHUP && stage_ == Stage::serving) {
        stage_ = Stage::restarting;
        return Order::restart;
    }
    if (signal != SIGTERM && signal != SIGINT) return Order::none;
    if (!is_ending()) return drain();
    stage_ = Stage::terminating;
    stage_ends_ = Deadline::after(Duration::zero());
    return Order::none;
}

auto Lifetime::look(bool is_busy, std::uint64_t served) -> Order {
    if (!exit_idle_time_ || stage_ != Stage::serving) return Order::none;
    if (is_busy || served != std::exchange(served_before_, served)) idle_ends_ = Deadline::never();
    if (is_busy) return Order::none;
    if (idle_ends_.is_never()) idle_ends_ = Deadline::after(*exit_idle_time_);
    return idle_ends_.passed() ? drain() : Order::none;
}

std::optional<int> Lifetime::next_signal() {
    if (!stage_ends_.passed()) return std::nullopt;
    const bool was_draining = stage_ == Stage::draining;
    stage_ = was_draining ? Stage::terminating : Stage::killing;
    stage_ends_ = was_draining ? Deadline::after(time_from_term_to_kill) : Deadline::never();
    return was_draining ? SIGTERM : SIGKILL;
}

auto Lifetime::drain() -> Order {
    stage_ = Stage::draining;
    stage_ends_ = Deadline::after(grace_);
    idle_ends_ = Deadline::never();
    return Order::drain;
}

} // namespace ipcbox::server
