// Locks on whole files that end with the last descriptor of their opening, however a process ends:
// flock(2).
#pragma once

#include "core/deadline.h"
#include "core/fd.h"

#include <string>
#include <string_view>

namespace ipcbox {

enum class LockKind { shared, exclusive };

// Locks what FD leads to; false when another holds it until the deadline. A lock that this opening
// has is changed to KIND. Throws SysError "cannot lock OBJECT". Meanwhile SIGALRM is ours.
[[nodiscard]] bool lock_until(int fd, LockKind kind, Deadline deadline, std::string_view object);

// Throws SysError "cannot unlock OBJECT".
void unlock(int fd, std::string_view object);

// Opens the file or directory PATH to lock it; a missing file is made. Throws SysError.
[[nodiscard]] Fd open_lock_file(const std::string& path, LockKind kind);

} // namespace ipcbox
