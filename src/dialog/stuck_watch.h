// Notices that all commands of a conversation wait for input, and that nothing has happened for a
// time: each may have its answer in a buffer.
#pragma once

#include "core/deadline.h"
#include "process/activity.h"

#include <cstddef>
#include <optional>
#include <span>
#include <sys/types.h>
#include <vector>

namespace ipcbox::dialog {

class StuckWatch {
  public:
    // Of PARTIES commands. LIMIT is how long nothing has to happen; Duration::max() is never. A
    // command ON_TERMINAL runs below a process of ours: it waits when one below that does.
    StuckWatch(Duration limit, std::size_t parties, bool on_terminal)
        : limit_(limit), parties_(parties), on_terminal_(on_terminal) {}

    // How often to look.
    [[nodiscard]] std::optional<Duration> every() const;
    // Looks at the commands that still run. True once: when the limit has passed.
    [[nodiscard]] bool is_stuck_now(std::span<const pid_t> commands);

  private:
    [[nodiscard]] bool waits(pid_t command) const;

    Duration limit_;
    std::size_t parties_;
    bool on_terminal_;
    process::Activity last_{};
    Deadline::Clock::time_point since_ = Deadline::Clock::now();
    bool was_told_ = false;
};

} // namespace ipcbox::dialog
