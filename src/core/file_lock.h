// Locks on whole files: flock(2). A lock ends with the last descriptor of its open file
// description, however a process ends.
//
// A process that ends can unlink or rename the file that it has locked. Another process that opened
// the file just before that then holds a lock on a file without a name, which keeps nobody out. So
// open, lock, and check the name again:
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

// Locks the file of FD; false when another process holds the lock until the deadline. A lock that
// FD already has is changed to KIND. Throws SysError "cannot lock OBJECT". It uses SIGALRM.
[[nodiscard]] bool lock_until(int fd, LockKind kind, Deadline deadline, std::string_view object);

// Throws SysError "cannot unlock OBJECT".
void unlock(int fd, std::string_view object);

// Opens the file or directory PATH to lock it; a missing file is made. Throws SysError.
[[nodiscard]] Fd open_lock_file(const std::string& path, LockKind kind);

// Whether NAME in DIRECTORY (or AT_FDCWD) is FILE itself, not a link to it. Throws SysError "cannot
// lock OBJECT" when that cannot be found out.
[[nodiscard]] bool has_name(const Fd& file, int directory, const std::string& name,
                            std::string_view object);

// Takes an exclusive lock for the process (fcntl(2), F_SETLK) without waiting. The kernel tells
// others which process holds it, a child does not inherit it, and it is lost as soon as this
// process closes any descriptor of the file. False when another process has such a lock. Throws
// SysError "cannot lock OBJECT".
[[nodiscard]] bool try_to_lock_for_process(const Fd& file, std::string_view object);

// The process that has such a lock on FILE; nothing when none has it any more. The number is 0 for
// a process of another PID namespace.
[[nodiscard]] std::optional<pid_t> lock_holder(const Fd& file) noexcept;

} // namespace ipcbox
