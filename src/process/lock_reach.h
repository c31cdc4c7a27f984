// Whether a lock works between machines: on some network file systems, flock(2) keeps out only
// processes of this machine.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace ipcbox::process {

// Why processes of other machines do not see a lock on a file of DEVICE, "sshfs" or "nfs with
// nolock", according to the lines of /proc/self/mountinfo about its file system; nothing when they
// do see it, or when no other machine uses the file system.
[[nodiscard]] std::optional<std::string> local_lock_reason_in(std::string_view mountinfo,
                                                              dev_t device);

// The same for the file of FD. On a local file system it costs one system call. Nothing when it
// cannot be found out.
[[nodiscard]] std::optional<std::string> local_lock_reason(int fd);

} // namespace ipcbox::process
