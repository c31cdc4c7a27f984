// Waiting for processes that are not our children: pidfd_open(2), epoll(7).
#pragma once

#include "core/deadline.h"
#include "core/fd.h"
#include "core/wait_status.h"

#include <functional>
#include <optional>
#include <vector>

namespace ipcbox::process {

// Waits for the ends of any number of processes, at the cost of the ends, not of the number.
class Watch {
  public:
    // Throws SysError.
    Watch();

    // Watches the process of HANDLE; ends are told by NUMBER.
    void add(Fd handle, std::size_t number);
    [[nodiscard]] std::size_t left() const { return left_; }

    // Waits until at least one has ended, and calls ON_END for each that has, with its number and
    // its status where the kernel tells it. False when the deadline passes first.
    bool wait(Deadline deadline,
              const std::function<void(std::size_t, std::optional<WaitStatus>)>& on_end);

  private:
    Fd epoll_;
    std::vector<Fd> handles_; // by number
    std::size_t left_ = 0;
};

// How the process of HANDLE ended, as far as the kernel tells it to those that are not its parent:
// since Linux 6.15, once its parent has waited for it (PIDFD_GET_INFO).
[[nodiscard]] std::optional<WaitStatus> exit_status_of(const Fd& handle);

} // namespace ipcbox::process
