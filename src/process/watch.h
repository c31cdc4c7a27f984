// Waiting for processes that are not our children: pidfd_open(2), epoll(7).
#pragma once

#include "core/deadline.h"
#include "core/fd.h"
#include "core/wait_status.h"

#include <functional>
#include <optional>
#include <vector>

namespace ipcbox::process {

// Waits for the ends of any number of processes. The cost depends on how many end, not on how many
// there are.
class Watch {
  public:
    // Throws SysError.
    Watch();

    // Watches the process of HANDLE. Its end is reported with NUMBER.
    void add(Fd handle, std::size_t number);
    [[nodiscard]] std::size_t left() const { return left_; }

    // Waits until at least one has ended, and calls ON_END for each that has, with its number and
    // its status if the kernel reports it. False when the deadline passes first.
    bool wait(Deadline deadline,
              const std::function<void(std::size_t, std::optional<WaitStatus>)>& on_end);

  private:
    Fd epoll_;
    std::vector<Fd> handles_; // by number
    std::size_t left_ = 0;
};

// How the process of HANDLE ended, if the kernel reports that to a process that is not the parent:
// since Linux 6.15, once the parent has waited for it (PIDFD_GET_INFO).
[[nodiscard]] std::optional<WaitStatus> exit_status_of(const Fd& handle);

} // namespace ipcbox::process
