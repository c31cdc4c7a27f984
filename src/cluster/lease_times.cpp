#include "cluster/lease_times.h"

namespace ipcbox::cluster {

Doubt doubt_at(const LeaseTimes& times, BootTime now) {
    if (now >= times.kill_at()) return Doubt::kill;
    return now >= times.term_at() ? Doubt::term : Doubt::none;
}

} // namespace ipcbox::cluster
