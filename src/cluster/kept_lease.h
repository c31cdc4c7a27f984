// A lease that we keep alive by a keepalive after each third of its time: the caller's loop calls
// keep_alive() at next_boot_time(), and gives us the calls that have finished.
#pragma once

#include "cluster/lease_times.h"
#include "etcd/client.h"

#include <optional>

namespace ipcbox::cluster {

class KeptLease {
  public:
    explicit KeptLease(etcd::Client& client) : client_(client) {}

    // A lease that was granted, or renewed, by a request that was sent at TIMES.renewed.
    void begin(etcd::LeaseId id, const LeaseTimes& times);
    // A lease that another process has kept until now: the first keepalive is due at once.
    void resume(etcd::LeaseId id, const LeaseTimes& times);
    // Lets it run out. It is not revoked.
    void end();

    [[nodiscard]] etcd::LeaseId id() const { return id_; }
    [[nodiscard]] const LeaseTimes& times() const { return times_; }

    void keep_alive();
    [[nodiscard]] std::optional<BootTime> next_boot_time() const;

    enum class Heard { nothing, renewed, is_over, no_answer };
    // Nothing when CALL is not ours.
    [[nodiscard]] Heard hear(const etcd::FinishedCall& call);

  private:
    etcd::Client& client_;
    etcd::LeaseId id_ = 0;
    LeaseTimes times_{};
    etcd::CallId call_ = 0;
    BootTime sent_{};
    BootTime next_{};
};

} // namespace ipcbox::cluster
