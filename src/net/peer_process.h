// The process at the other end of a Unix socket, as the kernel knows it (unix(7), SO_PEERCRED), and
// rules on which processes may connect.
#pragma once

#include "core/fd.h"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace ipcbox::net {

// The credentials that the peer had at its connect(2), or at its listen(2) when the peer is a
// server.
struct PeerCredentials {
    pid_t pid = 0; // 0 for a process that our pid namespace does not show
    uid_t uid = 0;
    gid_t gid = 0;
};

struct PeerProcess : PeerCredentials {
    // SOCKET is a connected Unix socket. exe() and runs() need the handle, which costs 7 us, more
    // than all the rest. Throws SysError.
    enum class Handle { take, none };
    [[nodiscard]] static PeerProcess of(int socket, Handle handle = Handle::take);

    // The path of its program, for people to read (proc(5), /proc/PID/exe). Do not trust it: any
    // user can make a mount namespace in which a program has any path. Nothing without a handle,
    // when the process has ended (another one may have its pid by now), and when we may not look at
    // it. A program whose file was removed is "/usr/bin/foo (deleted)".
    [[nodiscard]] std::optional<std::string> exe() const;

    // Whether it runs the file that PATH leads to in our own namespace. False when exe() returns
    // nothing.
    [[nodiscard]] bool runs(const std::string& path) const;

  private:
    [[nodiscard]] bool runs_still() const;

    // Refers to the process itself, even after its pid is reused: SO_PEERPIDFD (Linux 6.5). On an
    // older kernel pidfd_open(2) refers to the process that has the pid now. Empty for a process
    // that has ended.
    Fd pidfd_;
};

// "uid=1000,gid=100,user=www-data,group=adm,exe=/usr/bin/foo" matches a peer that fulfils every
// condition.
class PeerRule {
  public:
    // Throws std::invalid_argument, saying what was expected, as an option's parser does.
    [[nodiscard]] static PeerRule parse(std::string_view text);

    // Whether the rule needs credentials with a handle.
    [[nodiscard]] bool asks_for_program() const { return exe_.has_value(); }
    [[nodiscard]] bool matches(const PeerProcess& peer) const;

  private:
    std::optional<uid_t> uid_;
    std::optional<gid_t> gid_; // the primary one: the kernel reports no others
    std::optional<std::string> exe_;
};

} // namespace ipcbox::net
