// The file of a listening Unix socket (unix(7)): it is taken over from a dead server only, nobody
// can connect before its mode and owner are in force, and no file but our own is removed at the
// end. Beside PATH there is PATH.lock, held by flock(2) as long as the server lives: two servers
// that start at once could both find the old socket dead, and one of them would remove the other's
// new one.
#pragma once

#include "core/fd.h"
#include "core/file_identity.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace ipcbox::net {

class UnixSocketFile {
  public:
    // Takes PATH for us: locks it, and removes the socket of a dead server. Throws Error when
    // somebody serves it, when it is anything but a socket, and when its directory is missing or
    // would let anybody replace the socket.
    explicit UnixSocketFile(const std::string& path);
    UnixSocketFile(UnixSocketFile&& other) noexcept = default;
    UnixSocketFile& operator=(UnixSocketFile&& other) noexcept;
    ~UnixSocketFile() { remove(); }

    struct Access {
        mode_t mode = 0600; // whoever may write may connect
        std::optional<uid_t> owner;
        std::optional<gid_t> group;
    };
    // Binds SOCKET, a new one that does not listen yet. The process's umask is 0 for a moment.
    // Throws SysError.
    void bind(const Fd& socket, const Access& access);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    // Unlinks the file if it still is ours, then the lock. After that there is nothing to release.
    void remove() noexcept;
    // For a forked child: forgets it all and leaves the files, which are the parent's.
    void release() noexcept;

    // To hand it over to a program that we become by execve(2): KEEP_ACROSS_EXEC before,
    // CLOSE_ON_EXEC if that failed, and there resume(STATE), once. Throws Error for a state that
    // is none.
    void keep_across_exec() const;
    void close_on_exec() const;
    [[nodiscard]] std::string state() const;
    [[nodiscard]] static UnixSocketFile resume(std::string_view state);

  private:
    UnixSocketFile() noexcept = default;
    void open_directory();
    void lock();
    void remove_dead();
    void apply(const Access& access);

    std::string path_;
    std::string name_;
    Fd directory_; // in which the names are looked up, wherever we or it are moved
    Fd lock_;      // while we have one, the files are ours to remove
    std::optional<FileIdentity> ours_;
};

} // namespace ipcbox::net
