// Tracing: core/syscall.h can print each call, like a built-in strace. The switch stands apart, so
// that the command line can turn it on and still includes nothing that makes system calls.
#pragma once

namespace ipcbox::sys {

// Starts to print calls. There is no way to stop it.
void start_tracing() noexcept;

} // namespace ipcbox::sys
