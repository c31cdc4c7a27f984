#include "front/ipc/lease_judge.h"

#include <csignal>
#include <utility>

namespace ipcbox::front {

using cluster::Doubt;
using cluster::OnLost;

LeaseRuling LeaseJudge::judge(const cluster::LeaseTimes& times, LeaseState state, BootTime now) {
    if (state == LeaseState::gone) return gone();
    const auto doubt = cluster::doubt_at(times, now);
    const auto before = std::exchange(doubted_, doubt);
    if (doubt == Doubt::none) {
        if (before == Doubt::none || on_lost_ != OnLost::pause) return {};
        return {.news = "the lease lives: the command goes on", .signal = SIGCONT};
    }
    if (on_lost_ == OnLost::kill)
        return before != doubt || doubt == Doubt::kill ? end(doubt, times) : LeaseRuling{};
    return before == Doubt::none ? pause_or_warn() : LeaseRuling{};
}

LeaseRuling LeaseJudge::gone() {
    const bool is_told = std::exchange(is_gone_told_, true);
    LeaseRuling ruling;
    if (on_lost_ == OnLost::warn) {
        if (!is_told) ruling.news = "the lease is over: the command is not alone any more";
        return ruling;
    }
    if (!is_told) ruling.news = "the lease is over: the command is killed";
    ruling.signal = SIGKILL;
    is_lost_ = true;
    return ruling;
}

LeaseRuling LeaseJudge::end(Doubt doubt, const cluster::LeaseTimes& times) {
    LeaseRuling ruling{.signal = doubt == Doubt::kill ? SIGKILL : SIGTERM, .acts_on_doubt = true};
    if (!is_lost_) ruling.news = "the lease was not renewed in time: ending the command";
    is_lost_ = true;
    kill_rest_at_ = times.kill_at();
    return ruling;
}

LeaseRuling LeaseJudge::pause_or_warn() const {
    if (on_lost_ == OnLost::warn)
        return {.news = "the lease was not renewed in time: the command may not be alone"};
    return {.news = "the lease was not renewed in time: the command is stopped until it is",
            .signal = SIGSTOP,
            .acts_on_doubt = true};
}

std::optional<BootTime> LeaseJudge::next_moment(const cluster::LeaseTimes& times, LeaseState state,
                                                BootTime now) const {
    constexpr auto between_kills = std::chrono::milliseconds{100};
    const bool is_gone = state == LeaseState::gone;
    const bool kills = on_lost_ == OnLost::kill || (on_lost_ == OnLost::pause && is_gone);
    if (is_gone || now >= times.kill_at())
        return kills ? std::optional{now + between_kills} : std::nullopt;
    return now >= times.term_at() ? times.kill_at() : times.term_at();
}

} // namespace ipcbox::front
