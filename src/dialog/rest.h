// How long to read a terminal whose program has ended. The processes that the program left behind
// can write until they are silent for 0.2 s, and for 1 s at most.
#pragma once

#include "core/deadline.h"

#include <algorithm>
#include <chrono>

namespace ipcbox::dialog {

class Rest {
  public:
    // The program has ended, and its own output has been read.
    void begin() {
        silence_ = Deadline::after(grace);
        last_ = Deadline::after(max_time);
    }
    [[nodiscard]] bool has_begun() const { return !last_.is_never(); }
    // Output has come. Before begin(), that changes nothing.
    void heard() {
        if (has_begun()) silence_ = std::min(Deadline::after(grace), last_);
    }

    // How long to wait for output; never() before begin().
    [[nodiscard]] Deadline deadline() const { return silence_; }
    // Whether even a process that writes without end has had its time.
    [[nodiscard]] bool is_over() const { return last_.passed(); }

  private:
    static constexpr std::chrono::milliseconds grace{200};
    static constexpr std::chrono::seconds max_time{1};

    Deadline silence_ = Deadline::never();
    Deadline last_ = Deadline::never();
};

} // namespace ipcbox::dialog
