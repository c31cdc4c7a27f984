// When to look whether the end of the input has to be typed on a terminal again. A file stays at
// its end, but a terminal has one end for each that was typed: a second reader waits forever, as in
// `sh -c 'cat; cat'`, and so does a prompt that discards what was typed before it (TCSAFLUSH), as
// those for passwords do. The kernel reports neither, so we look: soon after a change, less and
// less often later.
#pragma once

#include "core/deadline.h"

#include <algorithm>
#include <chrono>

namespace ipcbox::dialog {

class KeptEnd {
  public:
    // The input has ended.
    void begin() { look_again(true); }
    // We have looked. WAS_TYPED: the end was gone, and has been typed again.
    void look_again(bool was_typed) {
        pause_ = was_typed ? shortest : std::min(2 * pause_, longest);
        next_ = Deadline::after(pause_);
    }
    // Nothing reads any more.
    void stop() { next_ = Deadline::never(); }

    // When to look; never() before begin().
    [[nodiscard]] Deadline next_look() const { return next_; }

  private:
    static constexpr std::chrono::milliseconds shortest{10};
    static constexpr std::chrono::milliseconds longest{1000};

    std::chrono::milliseconds pause_{shortest};
    Deadline next_ = Deadline::never();
};

} // namespace ipcbox::dialog
