// Locks on whole files that end with the last descriptor of their opening, however a process ends:
// flock(2).
//
// A process that ends may unlink or rename the file that it has locked. Another one that opened the
// file just before then has a lock on a file without a name, which keeps nobody away. So open,
// lock, and look at the name again:
//
//     for (;;) {
//         const Fd file = open_file(path, O_RDWR | O_CREAT, 0600);
//         if (!lock_until(file.get(), LockKind::exclusive, deadline, path)) ...; // another has it
//         if (has_name(file, AT_FDCWD, path, path)) return file;
//     }
#pragma once

#include "core/deadline.h"
#include "core/fd.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace ipcbox {

enum class LockKind { shared, exclusive };

// Locks what FD leads to; false when another holds it until the deadline. A lock that this opening
// has is changed to KIND. Throws SysError "cannot lock OBJECT". Meanwhile SIGALRM is ours.
[[nodiscard]] bool lock_until(int fd, LockKind kind, Deadline deadline, std::string_view object);

// Throws SysError "cannot unlock OBJECT".
void unlock(int fd, std::string_view object);

// Opens the file or directory PATH to lock it; a missing file is made. Throws SysError.
[[nodiscard]] Fd open_lock_file(const std::string& path, LockKind kind);

// Whether NAME in DIRECTORY (or AT_FDCWD) is FILE itself, not a link to it. Throws SysError "cannot
// lock OBJECT" when that cannot be found out.
[[nodiscard]] bool has_name(const Fd& file, int directory, const std::string& name,
                            std::string_view object);

// An exclusive lock of the process (fcntl(2), F_SETLK) without waiting: the kernel tells others
// whose it is, a child does not inherit it, and it is lost as soon as this process closes any
// descriptor of the file. False when another process has one. Throws SysError "cannot lock OBJECT".
[[nodiscard]] bool try_to_lock_for_process(const Fd& file, std::string_view object);

// The process that has such a lock on FILE, or nothing when there is none any more. The number is 0
// for a process of another PID namespace.
[[nodiscard]] std::optional<pid_t> lock_holder(const Fd& file) noexcept;

} // namespace ipcbox
