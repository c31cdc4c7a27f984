// Tells a HUP that says that our terminal has gone from a HUP that orders a restart.
//
// The kernel sends the first kind to the leader of the session, and to the group in the foreground
// once the leader has ended. But before it ends, an interactive shell sends HUP to all of its jobs
// itself, and the kernel's own may then be lost: a signal that is pending already is not queued
// again. setsid(2), tty(4), "Job Control" in bash(1).
#pragma once

#include "core/signals.h"

namespace ipcbox::server {

class HangUp {
  public:
    // To be made at the start: what had no terminal cannot lose it.
    HangUp() noexcept;

    [[nodiscard]] bool is_told_by(const SignalEvent& event) const noexcept;

  private:
    bool had_terminal_;
};

} // namespace ipcbox::server
