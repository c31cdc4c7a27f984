// For tests that kill processes of ours at random.
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

// Sends SIGNAL to one of PIDS, if it descends from us, which reap all that have lost their parents.
// Nobody but us reaps there, except the parents: a handle on a number that was a descendant before
// and is one after means that descendant. Returns its number, or 0 when it has ended.
inline pid_t signal_one_of(const std::vector<pid_t>& pids, int signal, std::minstd_rand& random) {
    if (pids.empty()) return 0;
    const auto pid = pids[random() % pids.size()];
    const auto handle = open_process(pid);
    const auto ours = process::descendants_of(::getpid());
    if (!handle || std::ranges::find(ours, pid) == ours.end()) return 0;
    return try_to_signal(*handle, signal) ? pid : 0;
}

// Lets the others go on for a random time. Nothing may depend on how far they come.
inline void go_on_for_up_to(std::chrono::microseconds longest, std::minstd_rand& random) {
    const auto range = static_cast<unsigned long>(longest.count());
    (void)poll_until({}, Deadline::after(std::chrono::microseconds{random() % range}));
}

// Whether no descendant is left. Reaps those that have ended: orphans become our children, because
// the harness is a subreaper.
inline bool is_all_gone() {
    while (reap_child())
        ;
    return !has_children();
}

// IN_CI, or the number in $IPCBOX_LOAD.
inline int load_size(int in_ci) {
    const char* const load = std::getenv("IPCBOX_LOAD");
    return load != nullptr ? std::atoi(load) : in_ci;
}

} // namespace ipcbox::test
