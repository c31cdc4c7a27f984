// Counters of what a tree of processes has done, to see whether it does anything: /proc/PID/stat
// and /proc/PID/io of proc(5).
#pragma once

#include "core/deadline.h"

#include <cstdint>
#include <optional>
#include <sys/types.h>

namespace ipcbox::process {

struct Activity {
    std::uint64_t cpu_ticks = 0;
    std::uint64_t bytes = 0;     // read and written, of files, pipes and sockets alike
    std::uint64_t processes = 0; // a sum that differs for nearly every other set of processes

    friend bool operator==(const Activity&, const Activity&) = default;
};

// Of all descendants of ROOT, without ROOT.
[[nodiscard]] Activity activity_below(pid_t root);

// Whether PID, a single process, waits for its standard input: /proc/PID/syscall. False when that
// cannot be found out.
[[nodiscard]] bool waits_for_input(pid_t pid);

// Watches whether our descendants do nothing for a time.
class IdleWatch {
  public:
    // Without LIMIT they are never idle.
    explicit IdleWatch(std::optional<Duration> limit) : limit_(limit) {}

    // When to call is_idle() next.
    [[nodiscard]] Deadline next() const;
    // Whether they have done nothing for as long as the limit.
    [[nodiscard]] bool is_idle();

  private:
    std::optional<Duration> limit_;
    Activity last_{};
    Deadline::Clock::time_point since_ = Deadline::Clock::now();
};

} // namespace ipcbox::process
