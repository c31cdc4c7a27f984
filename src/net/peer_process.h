// Who is at the other end of a Unix socket, as the kernel knows it (unix(7), SO_PEERCRED), and
// rules on who may be.
#pragma once

#include "core/fd.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace ipcbox::net {

// At the time of its connect(2), or of the listen(2) when the peer is a server.
struct PeerCredentials {
    pid_t pid = 0; // 0 for a process that our pid namespace does not show
    uid_t uid = 0;
    gid_t gid = 0;
};

struct PeerProcess : PeerCredentials {
    // SOCKET is a connected Unix socket. The handle is what exe() and runs() need; it costs 7 us,
    // more than all the rest. Throws SysError.
    enum class Handle { take, none };
    [[nodiscard]] static PeerProcess of(int socket, Handle handle = Handle::take);

    // What it runs, for people to read (proc(5), /proc/PID/exe): in a mount namespace of its own,
    // which anybody may have, a process can give its program any path. Nothing without a handle,
    // when it has ended, in which case the pid might be another's by now, or when we may not see
    // it. A program that was removed since it started is "/usr/bin/foo (deleted)".
    [[nodiscard]] std::optional<std::string> exe() const;

    // Whether it runs the very file that PATH leads us to. False where exe() has nothing.
    [[nodiscard]] bool runs(const std::string& path) const;

  private:
    [[nodiscard]] bool runs_still() const;

    // The process itself, whatever becomes of its pid: SO_PEERPIDFD (Linux 6.5). An older kernel
    // has only pidfd_open(2), which is sure of the process that has the pid now. None for a process
    // that has ended.
    Fd pidfd_;
};

// "uid=1000,gid=100,user=www-data,group=adm,exe=/usr/bin/foo": whoever fulfils every condition.
class PeerRule {
  public:
    // Throws std::invalid_argument, saying what was expected, as an option's parser does.
    [[nodiscard]] static PeerRule parse(std::string_view text);

    // Whether it needs a peer with a handle.
    [[nodiscard]] bool asks_for_program() const { return exe_.has_value(); }
    [[nodiscard]] bool matches(const PeerProcess& peer) const;

  private:
    std::optional<uid_t> uid_;
    std::optional<gid_t> gid_; // the primary one: the kernel's credentials have no others
    std::optional<std::string> exe_;
};

} // namespace ipcbox::net
