#include "fifo/scheduling_barrier.h"

#include "core/error.h"
#include "core/poll.h"
#include "core/signals.h"
#include "core/syscall.h"
#include "fifo/run_queue.h"

#include <pthread.h>
#include <sched.h>
#include <sys/sysinfo.h>
#include <system_error>

namespace ipcbox::fifo {

namespace {

using namespace std::chrono_literals;

// If few tasks want a CPU, a task that we have just preempted gets one within this time, even in
// another session. When no task waits, we go on earlier.
constexpr Duration time_to_calm = 300us;
// Up to this many tasks for each CPU take turns within a few milliseconds. More fast readers than
// this are rare. With four, one reader in some thousands still got two documents.
constexpr double max_in_turn = 2.5;
// A reader blocks long before it has used this much CPU time. A smaller limit would not do, because
// the kernel counts the time since the last tick (up to 4 ms at 250 Hz) only later.
constexpr Duration more_than_a_tick = 5ms;
// If a task gets no CPU for this long, its priority is too low to wait for it.
constexpr Duration longest_wait = 500ms;

} // namespace

SchedulingBarrier::~SchedulingBarrier() {
    stopping_ = true;
    ++round_;
    round_.notify_all();
}

void SchedulingBarrier::start_helpers() try {
    // Block signals, or the new threads would take those that are meant for the main thread.
    const BlockedSignals blocked{all_signals()};
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    if (sys::call("sched_getaffinity", ::sched_getaffinity, 0, sizeof cpus, &cpus) < 0)
        CPU_SET(0, &cpus);
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &cpus)) helpers_.emplace_back([this, cpu] { help(cpu); });
} catch (const std::system_error&) {
    // We get no more threads. Those that we have yield on their CPUs. That is a weaker barrier, but
    // better than no service.
}

void SchedulingBarrier::request() {
    if (begun_ != ended_) return;
    if (helpers_.empty()) start_helpers();
    ++begun_;
    if (helpers_.empty()) return end_.signal();
    missing_ = helpers_.size();
    ++round_;
    round_.notify_all();
}

void SchedulingBarrier::notice() {
    if (begun_ == ended_) return;
    if (end_.clear()) ended_ = begun_;
}

void SchedulingBarrier::help(std::size_t cpu) {
    cpu_set_t only;
    CPU_ZERO(&only);
    CPU_SET(cpu, &only);
    ::pthread_setaffinity_np(::pthread_self(), sizeof only, &only);
    for (std::uint32_t seen = 0;;) {
        round_.wait(seen);
        seen = round_;
        if (stopping_) return;
        // Yield twice. After one yield, the scheduler may choose us again before a task that has
        // just become runnable. More than two gave no better result.
        ::sched_yield();
        ::sched_yield();
        if (missing_.fetch_sub(1) != 1) continue;
        wait_in_a_crowd();
        end_.signal();
    }
}

void SchedulingBarrier::wait_in_a_crowd() {
    const auto calm = Deadline::after(time_to_calm);
    for (;;) {
        const auto threads = count_runnable_threads();
        if (threads <= 1) return;
        if (calm.passed()) {
            if (threads <= max_in_turn * ::get_nprocs()) return;
            break;
        }
        (void)poll_until({}, Deadline::after(time_to_calm / 3));
    }
    RunnableProcesses crowd;
    const auto longest = Deadline::after(longest_wait);
    while (!stopping_ && !longest.passed() && !crowd.have_run(more_than_a_tick))
        (void)poll_until({}, Deadline::after(2ms));
}

} // namespace ipcbox::fifo
