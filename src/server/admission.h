// How many connections a server takes: in all, from one network, in a time. Several accept loops
// pass through one gate.
#pragma once

#include "core/deadline.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace ipcbox::server {

// No more than this many in any such time.
struct Rate {
    int count = 0;
    Duration period{};
};

class Gate {
  public:
    struct Limits {
        int places = 128;                        // connections at the same time
        std::optional<Rate> rate = {};           // then the others wait in the backlog
        std::optional<std::uint64_t> total = {}; // then the gate closes
    };

    explicit Gate(Limits limits) : limits_(limits) {}

    // Takes a place, waiting for one, and for the rate. False once the gate is closed.
    [[nodiscard]] bool enter();
    // What enter() is to one that has to be told that the house is full.
    enum class Entry { taken, full, closed };
    [[nodiscard]] Entry try_enter();
    // Gives the place back, for a connection that came to an end...
    void leave();
    // ...and for one that never came about, or was refused: it does not count in the total.
    void leave_unused();

    // Counts a connection of NETWORK, unless it has MOST of them.
    [[nodiscard]] bool enter_network(const std::string& network, unsigned most);
    void leave_network(const std::string& network);

    // Waits, for what the system lacks just now; less when something leaves or the gate closes.
    void pause(Duration duration);

    // Nobody enters any more, until it is opened again.
    void close();
    void open();

    // A place that was taken before we were: in our former image.
    void add_taken();

  private:
    [[nodiscard]] bool is_exhausted() const;
    // The moment from which on the rate allows one more.
    [[nodiscard]] Deadline rate_allows() const;
    void count_entry();

    Limits limits_;
    std::mutex mutex_;
    std::condition_variable changed_;
    int taken_ = 0;
    std::uint64_t entered_ = 0;
    bool closed_ = false;
    std::deque<Deadline> recent_; // when each of the last entries leaves the rate's period
    std::unordered_map<std::string, unsigned> networks_;
};

} // namespace ipcbox::server
