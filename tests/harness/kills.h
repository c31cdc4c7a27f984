// For tests that kill their own processes at random.
#pragma once

#include "core/child.h"
#include "core/pidfd.h"
#include "core/poll.h"
#include "process/tree.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <random>
#include <unistd.h>
#include <vector>

namespace ipcbox::test {

// Sends SIGNAL to one of PIDS, if that process descends from us. We wait for all processes that
// have lost their parents, and nobody else does, except the parents. So if a number was a
// descendant before and is one afterwards, the handle is that descendant's. Returns the number, or
// 0 when the process has ended.
inline pid_t signal_one_of(const std::vector<pid_t>& pids, int signal, std::minstd_rand& random) {
    if (pids.empty()) return 0;
    const auto pid = pids[random() % pids.size()];
    const auto handle = open_process(pid);
    const auto ours = process::descendants_of(::getpid());
    if (!handle || std::ranges::find(ours, pid) == ours.end()) return 0;
    return try_to_signal(*handle, signal) ? pid : 0;
}

// Lets the other processes run for a random time. No test may depend on how far they get.
inline void go_on_for_up_to(std::chrono::microseconds longest, std::minstd_rand& random) {
    const auto range = static_cast<unsigned long>(longest.count());
    (void)poll_until({}, Deadline::after(std::chrono::microseconds{random() % range}));
}

// Whether no descendant is left. Waits for those that have ended. Orphans become our children,
// because the harness is a subreaper.
inline bool is_all_gone() {
    while (reap_child())
        ;
    return !has_children();
}

// The number in $IPCBOX_LOAD, or IN_CI without it.
inline int load_size(int in_ci) {
    const char* const load = std::getenv("IPCBOX_LOAD");
    return load != nullptr ? std::atoi(load) : in_ci;
}

} // namespace ipcbox::test
