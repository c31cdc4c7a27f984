// A lease that we keep alive by a keepalive after each third of its time: the caller's loop calls
// keep_alive() at next_boot_time(), and gives us the calls that have finished.
#pragma once

#include "cluster/etcd_client.h"
#include "cluster/lease_times.h"

#include <optional>

namespace ipcbox::cluster {

class KeptLease {
  public:
    explicit KeptLease(EtcdClient& client) : client_(client) {}

    // A lease that was granted, or renewed, by a request that was sent at TIMES.renewed.
    void begin(LeaseId id, const LeaseTimes& times);
    // A lease that another process has kept until now: the first keepalive is due at once.
    void resume(LeaseId id, const LeaseTimes& times);
    // Lets it run out. It is not revoked.
    void end();

    [[nodiscard]] LeaseId id() const { return id_; }
    [[nodiscard]] const LeaseTimes& times() const { return times_; }

    void keep_alive();
    [[nodiscard]] std::optional<BootTime> next_boot_time() const;

    enum class Heard { nothing, renewed, is_over, no_answer };
    // Nothing when CALL is not ours.
    [[nodiscard]] Heard hear(const FinishedCall& call);

  private:
    EtcdClient& client_;
    LeaseId id_ = 0;
    LeaseTimes times_{};
    CallId call_ = 0;
    BootTime sent_{};
    BootTime next_{};
};

} // namespace ipcbox::cluster
