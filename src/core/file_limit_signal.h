// A write to a file that may not grow any more (ulimit -f) fails instead of killing us.
#pragma once

#include "core/signals.h"
#include "core/syscall.h"

#include <csignal>
#include <ctime>

namespace ipcbox {

// While it lives, a write beyond RLIMIT_FSIZE only fails (EFBIG). The constructor throws SysError.
class HarmlessFileLimit {
  public:
    HarmlessFileLimit() : blocked_(signal_set({SIGXFSZ})) {}
    // Takes back the signal of our own writes, which would kill us once it is not blocked any more.
    ~HarmlessFileLimit() {
        const sigset_t set = signal_set({SIGXFSZ});
        const timespec now{};
        sys::call("sigtimedwait", ::sigtimedwait, &set, nullptr, &now);
    }
    HarmlessFileLimit(const HarmlessFileLimit&) = delete;
    HarmlessFileLimit& operator=(const HarmlessFileLimit&) = delete;

  private:
    BlockedSignals blocked_;
};

} // namespace ipcbox
