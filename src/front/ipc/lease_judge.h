// What the lease of a token means for the command that runs under it: whether the command goes on,
// is stopped, or has to end, and what its user is told. Decides only: front/ipc/guarded_run.h acts.
#pragma once

#include "cluster/lease_times.h"

#include <optional>
#include <string_view>

namespace ipcbox::front {

// Gone: the keeper says that the lease is over (KeeperProcess::is_gone).
enum class LeaseState { kept, gone };

// To be done now.
struct LeaseRuling {
    std::string_view news{};    // for the user; empty: nothing new
    int signal = 0;             // for all processes of the command; 0: none
    bool acts_on_doubt = false; // say "doubt" to the keeper, so that it need not act, too
};

class LeaseJudge {
  public:
    explicit LeaseJudge(cluster::OnLost on_lost) : on_lost_(on_lost) {}

    // The ruling at NOW, for a command that runs. Hear the keeper first, so that a front that was
    // stopped does not kill a command whose lease was renewed in the meantime.
    [[nodiscard]] LeaseRuling judge(const cluster::LeaseTimes& times, LeaseState state,
                                    BootTime now);
    // When a command that runs has to be judged again; nothing: when the keeper says something new.
    [[nodiscard]] std::optional<BootTime> next_moment(const cluster::LeaseTimes& times,
                                                      LeaseState state, BootTime now) const;

    // Whether a ruling has ended the command.
    [[nodiscard]] bool is_lost() const { return is_lost_; }
    // When processes that the ended command has left behind have to be killed.
    [[nodiscard]] BootTime kill_rest_at() const { return kill_rest_at_; }

  private:
    [[nodiscard]] LeaseRuling gone();
    [[nodiscard]] LeaseRuling end(cluster::Doubt doubt, const cluster::LeaseTimes& times);
    [[nodiscard]] LeaseRuling pause_or_warn() const;

    cluster::OnLost on_lost_;
    cluster::Doubt doubted_ = cluster::Doubt::none; // the doubt of the last ruling
    bool is_lost_ = false;
    bool is_gone_told_ = false;
    BootTime kill_rest_at_{};
};

} // namespace ipcbox::front
