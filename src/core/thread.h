// Starts threads, and says in words why there is none. pthread_create(3), which fails with EAGAIN
// when the user has too many threads (RLIMIT_NPROC, the pids controller of a cgroup).
#pragma once

#include "core/error.h"

#include <system_error>
#include <thread>
#include <utility>

namespace ipcbox {

// Throws SysError "cannot start a thread: Resource temporarily unavailable".
template <class Work> [[nodiscard]] std::jthread start_thread(Work&& work) {
    try {
        return std::jthread{std::forward<Work>(work)};
    } catch (const std::system_error& error) {
        throw SysError("start", "a thread", error.code().value());
    }
}

// A thread that helps with work that can also be done without it. When the system has no thread for
// us, the result is not joinable.
template <class Work> [[nodiscard]] std::jthread start_helper(Work&& work) {
    try {
        return start_thread(std::forward<Work>(work));
    } catch (const SysError&) {
        return {};
    }
}

} // namespace ipcbox
