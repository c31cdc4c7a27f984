// The file of a listening Unix socket (unix(7)): it is taken over only from a dead server, nobody
// can connect before its mode and owner are in force, and at the end we remove only our own file.
// Beside PATH there is PATH.lock, held by flock(2) as long as the server lives: two servers that
// start at once could both find the old socket dead, and one of them would remove the other's new
// one.
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
    // Takes PATH: locks it, and removes the socket of a dead server. Throws Error when a live
    // server has it, when it is not a socket, and when its directory is missing or would let any
    // user replace the socket.
    explicit UnixSocketFile(const std::string& path);
    UnixSocketFile(UnixSocketFile&& other) noexcept = default;
    UnixSocketFile& operator=(UnixSocketFile&& other) noexcept;
    ~UnixSocketFile() { remove(); }

    struct Access {
        mode_t mode = 0600; // write permission lets a client connect
        std::optional<uid_t> owner;
        std::optional<gid_t> group;
    };
    // Binds SOCKET, a new one that does not listen yet. The process's umask is 0 for a moment.
    // Throws SysError.
    void bind(const Fd& socket, const Access& access);

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

    // Unlinks the file if it is still ours, and then the lock. After that release() does nothing.
    void remove() noexcept;
    // For a forked child: forgets the files and leaves them to the parent.
    void release() noexcept;

    // These hand the file over to the program that we become by execve(2). Call KEEP_ACROSS_EXEC
    // before execve(2), and CLOSE_ON_EXEC if it failed. The next program calls resume(STATE) once,
    // which throws Error for a malformed state.
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
    Fd directory_; // names are looked up in it, even after it is moved
    Fd lock_;      // while we hold it, we may remove the files
    std::optional<FileIdentity> ours_;
};

} // namespace ipcbox::net
