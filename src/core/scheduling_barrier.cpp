#include "core/scheduling_barrier.h"

#include "core/error.h"
#include "core/signals.h"
#include "core/syscall.h"

#include <pthread.h>
#include <sched.h>
#include <system_error>

namespace ipcbox {

SchedulingBarrier::~SchedulingBarrier() {
    stopping_ = true;
    ++round_;
    round_.notify_all();
}

void SchedulingBarrier::start_helpers() try {
    // They would take signals that were meant for the thread that listens.
    const BlockedSignals blocked{all_signals()};
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    if (sys::call("sched_getaffinity", ::sched_getaffinity, 0, sizeof cpus, &cpus) < 0)
        CPU_SET(0, &cpus);
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(cpu, &cpus)) helpers_.emplace_back([this, cpu] { help(cpu); });
} catch (const std::system_error&) {
    // No more threads for us: those that we have yield on their CPUs, which is a worse barrier, but
    // no reason to serve nobody.
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
        // Once is not enough: the scheduler may pick us again before a task that has just become
        // runnable. Twice gave as good a result as more.
        ::sched_yield();
        ::sched_yield();
        if (missing_.fetch_sub(1) == 1) end_.signal();
    }
}

} // namespace ipcbox
