// When a command has to be ended, so that it is gone before its lease is over.
//
// A lease of TTL seconds counts from the moment at which the server got the last keepalive. That
// was not before we sent it, so we count from then, on a clock that goes on while the machine
// sleeps.
//
//     sent                       TERM          KILL   end of the lease
//     |---- keepalive each TTL/3 --|---- grace --|-margin-|
#pragma once

#include "core/boot_timer.h"

namespace ipcbox::cluster {

inline constexpr Duration default_ttl = std::chrono::seconds{15};

// For the difference between two clocks, and for the time that a killed process needs to end.
[[nodiscard]] constexpr Duration margin_of(Duration ttl) {
    constexpr int part = 20;
    return ttl / part;
}
[[nodiscard]] constexpr Duration default_grace_of(Duration ttl) {
    constexpr int part = 4;
    return ttl / part;
}
// With more, a single keepalive that is late would end the command.
[[nodiscard]] constexpr Duration max_grace_of(Duration ttl) {
    return ttl / 2;
}
[[nodiscard]] constexpr Duration keepalive_interval(Duration ttl) {
    constexpr int part = 3;
    return ttl / part;
}
// How long one member may take to answer before another one is asked.
[[nodiscard]] constexpr Duration patience_of(Duration ttl) {
    constexpr int part = 20;
    return ttl / part;
}

struct LeaseTimes {
    BootTime renewed{}; // when the last keepalive that was answered was sent
    Duration ttl = default_ttl;
    Duration grace = default_grace_of(default_ttl);

    [[nodiscard]] BootTime kill_at() const { return renewed + ttl - margin_of(ttl); }
    [[nodiscard]] BootTime term_at() const { return kill_at() - grace; }
    [[nodiscard]] BootTime next_keepalive() const { return renewed + keepalive_interval(ttl); }
};

// What to do when the lease was not renewed in time.
enum class OnLost { kill, pause, warn };

// How far a lease that was not renewed has come at NOW.
enum class Doubt { none, term, kill };
[[nodiscard]] Doubt doubt_at(const LeaseTimes& times, BootTime now);

} // namespace ipcbox::cluster
