// Reports when every runnable task has run. One helper thread on each CPU yields its turn. When all
// helpers have come back, every task that was runnable before the barrier began has had a CPU
// meanwhile, even one that we had preempted. So we know, without a sleep, that a process that the
// kernel has just woken has executed the few instructions up to its next system call: a reader that
// got a document has left read(2), and one that was let into open(2) waits in read(2).
// sched_yield(2), sched_setaffinity(2).
//
// That is true on a machine that is not crowded. If many tasks wait for each CPU, a yield lets only
// some of them run, and only those of our own session if the kernel groups them so (sched(7),
// autogroups). Then each process is looked at (fifo/run_queue.h), which takes longer.
#pragma once

#include "core/event.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

namespace ipcbox::fifo {

class SchedulingBarrier {
  public:
    SchedulingBarrier() = default;
    ~SchedulingBarrier();
    SchedulingBarrier(const SchedulingBarrier&) = delete;
    SchedulingBarrier& operator=(const SchedulingBarrier&) = delete;

    // The number of the next barrier to begin. One that is under way may have begun too early.
    [[nodiscard]] std::uint64_t next() const { return begun_ + 1; }
    [[nodiscard]] bool passed(std::uint64_t barrier) const { return ended_ >= barrier; }
    // Begins the next barrier, unless one is under way. The threads start at the first.
    void request();

    // Readable when a barrier has ended; then call notice().
    [[nodiscard]] int fd() const { return end_.fd(); }
    void notice();

  private:
    void start_helpers();
    void help(std::size_t cpu);
    void wait_in_a_crowd();

    Event end_; // of the barrier that is under way
    std::uint64_t begun_ = 0;
    std::uint64_t ended_ = 0;
    std::atomic<bool> stopping_ = false;
    std::atomic<std::uint32_t> round_ = 0; // what the helpers wait on
    std::atomic<std::size_t> missing_ = 0; // helpers that have not come back
    std::vector<std::jthread> helpers_;    // the last member: they use the others until they end
};

} // namespace ipcbox::fifo
