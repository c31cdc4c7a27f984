// A token that is taken without a command: it stays taken when we have ended, until give_back()
// (token_sets.h).
//
// While we wait, our entry in the queue lives by a lease, so that it goes when we are killed. Once
// the token is ours, the entry is put anew without the lease: it keeps its place, since that is the
// revision at which it was created.
#pragma once

#include "cluster/cluster_tokens.h"

#include <functional>
#include <string>

namespace ipcbox::cluster {

struct LendPlan {
    TokenWish wish;
    Deadline wait = Deadline::never();
    // How long to wait before the user is told for whom; nothing: they are never told.
    std::optional<Duration> silence{};
    // Tells the user that, and when we had to queue again.
    std::function<void(const std::string&)> tell;
};

struct Lent {
    bool is_taken = false;
    OwnEntry entry{};      // when it is taken
    std::string refusal{}; // for the user: why it is not taken
    int signal = 0;        // it came while we waited, and the place in the queue was given up
};

// Throws Error when no member answers until plan.wish.first_answer, or the set is missing.
[[nodiscard]] Lent take_lent_token(etcd::Client& client, const LendPlan& plan);

} // namespace ipcbox::cluster
