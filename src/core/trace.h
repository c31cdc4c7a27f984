// Tracing: what passes core/syscall.h can be printed, like a built-in strace. The switch stands
// apart, so that the command line can turn it on without making system calls.
#pragma once

namespace ipcbox::sys {

// Printing starts; never stops. The border calls it before anything else happens.
void start_tracing() noexcept;

} // namespace ipcbox::sys
