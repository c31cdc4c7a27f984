// Tracing: core/syscall.h can print each call, like a built-in strace. The switch has a file of its
// own, so that the command line can turn tracing on without including anything that makes system
// calls.
#pragma once

namespace ipcbox::sys {

// Starts to print calls. Tracing cannot be stopped again.
void start_tracing() noexcept;

} // namespace ipcbox::sys
