// Limits how often a lasting problem (no descriptors left, no memory) is reported: a line now and
// then, not one each time.
#pragma once

#include "core/deadline.h"

#include <atomic>

namespace ipcbox {

class OncePer {
  public:
    explicit OncePer(Duration period) : period_(period) {}

    // True the first time, and again at the first call after the period has passed since the last
    // true. From any thread: one of those that ask at once gets true.
    [[nodiscard]] bool is_due() noexcept;

  private:
    Duration period_;
    std::atomic<Deadline::Clock::rep> due_ = 0;
};

// How often a server reports a lasting shortage.
constexpr auto shortage_silence = std::chrono::seconds{30};

} // namespace ipcbox
