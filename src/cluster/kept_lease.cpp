#include "cluster/kept_lease.h"

#include "etcd/protobuf.h"

#include <utility>

namespace ipcbox::cluster {

void KeptLease::begin(etcd::LeaseId id, const LeaseTimes& times) {
    end();
    id_ = id;
    times_ = times;
    next_ = times.next_keepalive();
}

void KeptLease::resume(etcd::LeaseId id, const LeaseTimes& times) {
    begin(id, times);
    next_ = BootTime{};
}

void KeptLease::end() {
    if (call_ != 0) client_.abandon(std::exchange(call_, 0));
    id_ = 0;
}

std::optional<BootTime> KeptLease::next_boot_time() const {
    return id_ != 0 && call_ == 0 ? std::optional{next_} : std::nullopt;
}

void KeptLease::keep_alive() {
    const auto due = next_boot_time();
    if (!due || BootClock::now() < *due) return;
    sent_ = BootClock::now();
    // Give the call little time. The client may repeat it at several members, and only the first
    // attempt is certainly older than the grant in the answer.
    constexpr int attempts = 3;
    call_ = client_.start(etcd::LeaseKeepAlive{id_},
                          Deadline::after(attempts * patience_of(times_.ttl)));
}

KeptLease::Heard KeptLease::hear(const etcd::FinishedCall& call) try {
    if (call_ == 0 || call.id != call_) return Heard::nothing;
    call_ = 0;
    if (call.error && call.error->kind() == etcd::CallError::Kind::gone) return Heard::is_over;
    next_ = BootClock::now() + patience_of(times_.ttl) / 2;
    if (call.error) return Heard::no_answer;
    const auto ttl = etcd::LeaseKeepAlive::Answer::decode(call.answer).ttl_s;
    if (ttl <= 0) return Heard::is_over;
    times_.renewed = sent_;
    times_.ttl = std::chrono::seconds{ttl};
    next_ = times_.next_keepalive();
    return Heard::renewed;
} catch (const etcd::MalformedMessage&) {
    return Heard::no_answer;
}

} // namespace ipcbox::cluster
