// sem-take across hosts: the options, and a token of an etcd cluster for a command, or until it is
// given.
#pragma once

#include "cli/options.h"
#include "cluster/lease_keeper.h"
#include "core/exit_status.h"
#include "front/ipc/etcd_options.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::front {

// What the options of "Across hosts" say.
struct ClusterOptions {
    EtcdOptions etcd;
    Duration ttl = cluster::default_ttl;
    cluster::OnLost on_lost = cluster::OnLost::kill;
    std::optional<Duration> grace;

    // Whether an option says something that only a cluster can do.
    [[nodiscard]] bool concern_leases() const {
        return grace || ttl != cluster::default_ttl || on_lost != cluster::OnLost::kill;
    }
    // Throws UsageError when they contradict each other.
    void check() const;
};
void declare(cli::Options& options, ClusterOptions& into);

struct ClusterTaking {
    etcd::Access access;
    ClusterOptions options;
    std::string key;
    std::optional<int> slots;
    std::optional<Duration> wait; // zero: fail at once when no token is free
    int busy_status = exit_status::failed;
    std::optional<Duration> silence; // before the user is told for whom we wait; nothing: never
    bool tells_result = true;        // that no token was free, and that we queue again
    bool json = false;
};

// What its keeper has to do; ENTRY names the process that has the token.
[[nodiscard]] cluster::KeeperPlan keeper_plan(const ClusterTaking& taking,
                                              const cluster::TokenEntry& entry);

// Takes a token, and runs COMMAND with it (guarded_run.h). Returns our exit status.
[[nodiscard]] int take_for_command(const ClusterTaking& taking,
                                   const std::vector<std::string>& command);
// Takes a token that stays taken until sem-give --etcd: our parent has it, as far as a process can
// be named. Returns our exit status.
[[nodiscard]] int take_until_given(const ClusterTaking& taking);

} // namespace ipcbox::front
