// For work during which a SignalFd cannot be polled (semop(2), a large copy). While this object
// lives, a signal of the SignalFd runs CLEANUP in a thread of its own, where any code is allowed,
// and then ends the process as it would have without us. Make the SignalFd first, so that no signal
// is lost before this object exists:
//
//     SignalFd signals{SIGTERM, SIGINT, SIGHUP};
//     Thing thing = make_thing();
//     const CleanupOnSignal cleanup{signals, [&] { thing.remove(); }};
#pragma once

#include "core/fd.h"
#include "core/signals.h"

#include <functional>
#include <thread>

namespace ipcbox {

class CleanupOnSignal {
  public:
    // Throws SysError.
    CleanupOnSignal(SignalFd& signals, std::function<void()> cleanup);
    ~CleanupOnSignal();
    CleanupOnSignal(const CleanupOnSignal&) = delete;
    CleanupOnSignal& operator=(const CleanupOnSignal&) = delete;

  private:
    void watch(int stop) noexcept;

    SignalFd& signals_;
    std::function<void()> cleanup_;
    Fd stop_; // its end of file ends the thread
    std::jthread watcher_;
};

} // namespace ipcbox
