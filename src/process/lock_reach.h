// How far the lock of a file reaches: on some network file systems flock(2) keeps out processes of
// this machine only.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace ipcbox::process {

// Why processes of other machines do not see a lock on a file of DEVICE, "sshfs" or "nfs with
// nolock", as the lines of /proc/self/mountinfo have its file system; nothing when they do, or when
// there are no others.
[[nodiscard]] std::optional<std::string> local_lock_reason_in(std::string_view mountinfo,
                                                              dev_t device);

// The same of the file that FD leads to. It costs one system call on a file system of this machine.
// Nothing when it cannot be found out.
[[nodiscard]] std::optional<std::string> local_lock_reason(int fd);

} // namespace ipcbox::process
