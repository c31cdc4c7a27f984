// A process by a handle, so that it cannot be confused with a later process of the same pid:
// pidfd_open(2), pidfd_send_signal(2).
#pragma once

#include "core/fd.h"

#include <optional>
#include <sys/types.h>

namespace ipcbox {

// A handle on any process; nothing when there is none with this pid. Throws SysError, as the other
// functions here do.
[[nodiscard]] std::optional<Fd> open_process(pid_t pid);

// Sends SIGNAL to the process behind the handle; nothing happens when it has ended.
void send_signal(const Fd& pidfd, int signal);

// The same; false when the process has ended. A zombie accepts any signal and does nothing.
bool try_to_signal(const Fd& pidfd, int signal);

// The same with a number that the receiver's handler gets (sigqueue(3)).
bool queue_signal(const Fd& pidfd, int signal, int value);

} // namespace ipcbox
