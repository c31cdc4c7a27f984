// An event as a descriptor that can be polled beside others: eventfd(2).
#pragma once

#include "core/fd.h"

namespace ipcbox {

class Event {
  public:
    // Throws SysError.
    Event();

    // Readable from signal() to clear(). Both may be called from any thread.
    [[nodiscard]] int fd() const noexcept { return fd_.get(); }
    void signal() const noexcept;
    // Whether it was signalled.
    bool clear() const noexcept; // NOLINT(modernize-use-nodiscard): it need not matter

  private:
    Fd fd_;
};

} // namespace ipcbox
