// Waiting for descriptors: ppoll(2) with a deadline, again on EINTR.
#pragma once

#include "core/deadline.h"

#include <poll.h>
#include <span>

namespace ipcbox {

// How many of the entries have something in revents; 0 when the deadline passed first.
[[nodiscard]] int poll_until(std::span<pollfd> entries, Deadline deadline);

// True when FD is ready for EVENTS (POLLIN, POLLOUT; an error or hang-up counts as ready, because
// the next call will say what it is), false when the deadline passed first.
[[nodiscard]] bool wait_for(int fd, short events, Deadline deadline);

} // namespace ipcbox
