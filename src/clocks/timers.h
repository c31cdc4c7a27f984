// One timer for each of many hosts. To set a timer again costs no search: the old entry stays in
// the queue, and is skipped when its turn comes.
#pragma once

#include "core/deadline.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <queue>
#include <vector>

namespace ipcbox::clocks {

class Timers {
  public:
    // For the numbers below COUNT.
    explicit Timers(std::size_t count) : generations_(count) {}

    // Sets the timer of NUMBER, in place of the one that it had.
    void set(std::size_t number, Deadline when);
    void cancel(std::size_t number);
    // The number of a timer whose time has come, which has no timer then; nothing when there is
    // none.
    [[nodiscard]] std::optional<std::size_t> take_due();
    // No timer is due before this time. It can be too early, by a timer that was set again.
    [[nodiscard]] Deadline next() const;

  private:
    struct Entry {
        Deadline when;
        std::size_t number;
        std::uint32_t generation; // the entry is void when its number has set another one since
        // The top of a priority queue is its greatest.
        [[nodiscard]] bool operator<(const Entry& other) const { return other.when < when; }
    };

    std::vector<std::uint32_t> generations_; // by number
    std::priority_queue<Entry> entries_;
};

} // namespace ipcbox::clocks
