// Limits ipcbox-tls before it listens to strangers. After that it can only move bytes between the
// descriptors that it has, use memory, and read files (the system's certificates are looked up by
// name). seccomp(2), setrlimit(2).
#pragma once

#include "core/sanitizer.h" // it makes calls of its own, so there is no filter then

namespace ipcbox::tls {

// Closes all except the three standard descriptors. From then on we can gain no privileges, dump no
// core, let no file grow, and open few descriptors; a system call that is not on the list fails
// with EPERM. If the kernel refuses the filter, that is not an error. There is no filter on
// processors other than x86-64 and arm64, nor under the address sanitizer, which has to trace us at
// the end.
void enter_sandbox();

// To be called after the handshake, when no file is needed any more.
void forbid_opening() noexcept;

} // namespace ipcbox::tls
