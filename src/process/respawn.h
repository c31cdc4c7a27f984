// How often a program that ended is started again, and after which pause.
#pragma once

#include "core/deadline.h"

#include <deque>
#include <optional>
#include <string_view>

namespace ipcbox::process {

// At most MAX times in any WINDOW.
struct RespawnLimit {
    int max = 0;
    Duration window{};

    friend bool operator==(const RespawnLimit&, const RespawnLimit&) = default;
};

// "5/1m". Throws std::invalid_argument with what was expected.
[[nodiscard]] RespawnLimit parse_respawn_limit(std::string_view text);

class Respawn {
  public:
    using Clock = Deadline::Clock;
    using Time = Clock::time_point;

    explicit Respawn(RespawnLimit limit) : limit_(limit) {}

    // The pause before the next start of a program that was started and ended at these times;
    // nothing when the limit is reached. The first pause is 0.1 s, and each further one is twice as
    // long as the one before, up to 30 s. After a program has run for a whole window, the count and
    // the pauses start again.
    [[nodiscard]] std::optional<Duration> after(Time started, Time ended);

  private:
    RespawnLimit limit_;
    std::deque<Time> ends_; // of the last window
    Duration pause_{};
};

} // namespace ipcbox::process
