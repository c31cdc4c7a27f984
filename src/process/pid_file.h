// The file with a daemon's number, for everybody that wants to signal it. It contains only the
// number, so that `kill $(cat FILE)` works. After the daemon's end, another process can get the
// number. To tell them apart, an attribute of the file, user.ipcbox.start (xattr(7)), has the start
// of the process, and its unique number where the kernel has one.
//
// A process that starts the daemon locks the file (flock(2)) until the number is in it. So if two
// processes start the daemon at the same time, one of them sees the daemon of the other. Readers
// need no lock.
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
    // TimedOut when another process keeps it locked until DEADLINE. After an error, an empty file
    // stays only if it could not be locked.
    PidFile(const std::string& path, Deadline deadline);

    // A descriptor that has the lock.
    [[nodiscard]] const Fd& fd() const { return file_; }
    // Whether it names no process.
    [[nodiscard]] bool is_empty() const;
    // Makes it mean us. Throws SysError.
    void write_own();
    // Removes it.
    void remove() noexcept;
    // Removes it if PID is in it.
    void remove_if_means(pid_t pid) noexcept;

  private:
    std::string path_;
    Fd file_;
};

struct RunningDaemon {
    Identity identity;
    Fd handle;
};

// The daemon that the file PATH means. Nothing when there is none: the file is missing, or is empty
// because it was just created; or no process has the number, or only a zombie or another process.
// The file of another program has no attribute; then a process that started after the file was
// written is another one.
//
// Throws Error when the file has no number in it, and when the number cannot be trusted, because
// the file belongs neither to root nor to us nor to the owner of the process, or because everybody
// may write it and we are root.
[[nodiscard]] std::optional<RunningDaemon> daemon_of(const std::string& path);

// Whether there is such a file. Throws SysError when that cannot be found out.
[[nodiscard]] bool has_pid_file(const std::string& path);

// Removes the file PATH if PID is in it. Leaves it where it is when another process keeps its lock
// until PATIENCE.
void remove_pid_file(const std::string& path, pid_t pid, Deadline patience) noexcept;

} // namespace ipcbox::process
