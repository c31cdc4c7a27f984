// For work that cannot be polled beside a SignalFd (semop(2), a large copy): while this object
// lives, TERM, INT or HUP run CLEANUP, in a thread of its own and so as ordinary code, and then end
// the process as they would have.
#pragma once

#include "core/fd.h"
#include "core/signals.h"

#include <functional>
#include <thread>

namespace ipcbox {

class CleanupOnSignal {
  public:
    explicit CleanupOnSignal(std::function<void()> cleanup);
    ~CleanupOnSignal();
    CleanupOnSignal(const CleanupOnSignal&) = delete;
    CleanupOnSignal& operator=(const CleanupOnSignal&) = delete;

  private:
    void watch(int stop) noexcept;

    std::function<void()> cleanup_;
    SignalFd signals_;
    Fd stop_;
    std::jthread watcher_;
};

} // namespace ipcbox
