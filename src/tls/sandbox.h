// What ipcbox-tls can still do once it listens to strangers: move bytes between the descriptors
// that it has, use memory, and read files (the system's certificates are looked up by name).
// seccomp(2), setrlimit(2).
#pragma once

#include "core/sanitizer.h" // it makes calls of its own: no filter then

namespace ipcbox::tls {

// Closes all but the three standard descriptors; then no new privileges, no core, no file that
// grows, few descriptors, and no system call that is not on the list: EPERM instead. A kernel that
// refuses the filter is no error. There is no filter on processors other than x86-64 and arm64, nor
// under the address sanitizer, which has to trace us at the end.
void enter_sandbox();

// After the handshake no file is looked at any more.
void forbid_opening() noexcept;

} // namespace ipcbox::tls
