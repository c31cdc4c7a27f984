// Waiting for descriptors: ppoll(2) with a deadline, again on EINTR.
#pragma once

#include "core/deadline.h"

#include <poll.h>
#include <span>

namespace ipcbox {

// The number of entries that have something in revents; 0 when the deadline passed first. Throws
// SysError, as wait_for() does.
[[nodiscard]] int poll_until(std::span<pollfd> entries, Deadline deadline);

// True when FD is ready for EVENTS (POLLIN, POLLOUT), false when the deadline passed first. An
// error or a hang-up counts as ready, because the next call on FD reports it.
[[nodiscard]] bool wait_for(int fd, short events, Deadline deadline);

} // namespace ipcbox
