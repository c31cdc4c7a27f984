// The life of a server. It serves until a signal or an idle time ends that, and then comes to its
// end in stages. This object decides what comes next, and the server does it.
//
//   serving       until HUP (restarting), or until TERM, INT or the idle time (draining)
//   restarting    the next image takes the connections over; TERM or INT: draining
//   draining      the grace: connections may come to their own end; then TERM to their programs.
//                 A second TERM or INT: KILL at once
//   terminating   the programs have a few seconds after TERM; then KILL
//   killing       until the last connection has ended
#pragma once

#include "core/deadline.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace ipcbox::server {

class Lifetime {
  public:
    // Connections have GRACE to come to their own end. With EXIT_IDLE_TIME, the server ends by
    // itself after this time without a connection.
    Lifetime(Duration grace, std::optional<Duration> exit_idle_time)
        : grace_(grace), exit_idle_time_(exit_idle_time) {}

    // Serve, at first or because a restart has failed.
    void serve() { stage_ = Stage::serving; }

    // What the server has to do now. After both of the orders it accepts nobody any more.
    enum class Order { none, restart, drain };
    // SIGNAL has come; TERM for a hang-up of the terminal as well. All signals except HUP, TERM and
    // INT have no effect.
    [[nodiscard]] Order take(int signal);
    // Looks whether the idle time is over. IS_BUSY says that there are connections, and SERVED how
    // many there have been so far: each starts the idle time again, even if it has ended by now.
    [[nodiscard]] Order look(bool is_busy, std::uint64_t served);
    // If the time of the stage is over, begins the next one. Returns the signal that all programs
    // get then.
    [[nodiscard]] std::optional<int> next_signal();

    [[nodiscard]] bool is_restarting() const { return stage_ == Stage::restarting; }
    // From draining on.
    [[nodiscard]] bool is_ending() const {
        return stage_ != Stage::serving && stage_ != Stage::restarting;
    }
    // Whether the grace is over.
    [[nodiscard]] bool is_cut_short() const { return is_ending() && stage_ != Stage::draining; }

    // When to call look() and next_signal() again, at the latest.
    [[nodiscard]] Deadline next_deadline() const { return std::min(stage_ends_, idle_ends_); }

  private:
    enum class Stage { serving, restarting, draining, terminating, killing };

    [[nodiscard]] Order drain();

    const Duration grace_;
    const std::optional<Duration> exit_idle_time_;
    Stage stage_ = Stage::serving;
    Deadline stage_ends_ = Deadline::never();
    Deadline idle_ends_ = Deadline::never();
    std::uint64_t served_before_ = 0; // at the last look
};

} // namespace ipcbox::server
