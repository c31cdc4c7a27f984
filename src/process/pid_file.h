// The file with a daemon's number, for everybody who wants to signal it. The number stands alone,
// so that `kill $(cat FILE)` works. After the daemon's end another process can get the number; what
// tells them apart, the start of the process, and its unique number where the kernel has one, is an
// attribute of the file, user.ipcbox.start (xattr(7)).
//
// A process that starts the daemon locks the file (flock(2)) until the number is in it, so that of
// two that do so at the same time, one sees the other's daemon. Readers need no lock.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"
#include "process/identity.h"

#include <optional>
#include <string>

namespace ipcbox::process {

class PidFile {
  public:
    // Opens and locks the file PATH, which is made when it is missing. Throws SysError, and
    // TimedOut when another process keeps it locked until DEADLINE.
    PidFile(const std::string& path, Deadline deadline);

    // A descriptor that has the lock.
    [[nodiscard]] const Fd& fd() const { return file_; }
    // Makes it mean us. Throws SysError.
    void write_own();
    // Removes it.
    void remove() noexcept;

  private:
    std::string path_;
    Fd file_;
};

struct RunningDaemon {
    Identity identity;
    Fd handle;
};

// The daemon that the file PATH means. Nothing when there is none: the file is missing, or was made
// a moment ago and is empty; no process has the number, or a zombie, or another process has it. The
// file of another program has no attribute; there a process that started after the file was
// written is another one.
//
// Throws Error when the file has no number in it, and where the number cannot be trusted: the file
// belongs neither to root nor to us nor to the owner of the process, or everybody may write it and
// we are root.
[[nodiscard]] std::optional<RunningDaemon> daemon_of(const std::string& path);

// Whether there is such a file. Throws SysError when that cannot be found out.
[[nodiscard]] bool has_pid_file(const std::string& path);

// Removes the file PATH if PID is in it.
void remove_pid_file(const std::string& path, pid_t pid) noexcept;

} // namespace ipcbox::process
