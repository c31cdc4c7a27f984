// Time that goes on while the machine sleeps: CLOCK_BOOTTIME (clock_gettime(2)), and a timer on it
// as a descriptor (timerfd_create(2)). A lease that another machine counts down does not stop when
// ours is suspended, so no Deadline can guard it: that is CLOCK_MONOTONIC.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"

#include <optional>

namespace ipcbox {

struct BootClock {
    using duration = Duration;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<BootClock>;
    static constexpr bool is_steady = true;

    [[nodiscard]] static time_point now() noexcept;
};

using BootTime = BootClock::time_point;

class BootTimer {
  public:
    // Throws SysError, as set() does.
    BootTimer();

    // Readable from the time of set() on, until the next set(). With nothing: never.
    [[nodiscard]] int fd() const { return fd_.get(); }
    void set(std::optional<BootTime> when);

  private:
    Fd fd_;
};

} // namespace ipcbox
