// Sockets that listen: TCP on one or all interfaces, Unix sockets, and sockets that we were started
// with. All are close-on-exec and non-blocking. Errors help the user: they name the process that
// has the port, or the lowest port that needs no privilege.
#pragma once

#include "core/fd.h"
#include "net/address.h"
#include "net/unix_socket_file.h"

#include <optional>
#include <string>
#include <vector>

namespace ipcbox::net {

struct Listener {
    Fd socket;
    Address address;  // with the port that the kernel chose
    std::string text; // "[::]:2345 (all interfaces)", "127.0.0.1:80", "/tmp/catsock", "@name"
    std::optional<UnixSocketFile> file; // destroyed first: nobody finds a closed socket
};

// How many clients may wait to be accepted. The kernel's own limit is net.core.somaxconn, 4096 by
// default (listen(2)).
constexpr int default_backlog = 4096;

// Listens on each address of the host that this machine has. All sockets have the same port, even
// when port 0 lets the kernel choose it. Without a host there is one socket for all interfaces,
// IPv6 and IPv4; on a machine without IPv6 it is IPv4 only. The connections inherit TCP_NODELAY and
// SO_KEEPALIVE (tcp(7)). Throws Error. Looking up a name takes at most 10 s.
[[nodiscard]] std::vector<Listener> listen_tcp(const HostPort& where,
                                               int backlog = default_backlog);

struct UnixOptions {
    UnixSocketFile::Access access; // ignored for an abstract name
    int backlog = default_backlog;
};

// Listens at PATH, or at "@name" in the abstract namespace. Throws Error.
[[nodiscard]] Listener listen_unix(const std::string& path, const UnixOptions& options = {});

// The listening stream sockets that we were started with (sd_listen_fds(3): LISTEN_FDS, for the
// process LISTEN_PID); none when the variables are missing or meant for another process. With NAME,
// only those with this name in LISTEN_FDNAMES; the others are closed. This unsets the variables, so
// that no program that we start takes them for its own. Call it once, before other descriptors are
// opened. Throws Error when one of the descriptors is anything else.
enum class ListenerKind { tcp, unix_domain };
[[nodiscard]] std::vector<Listener>
inherited_listeners(ListenerKind kind, const std::optional<std::string>& name = std::nullopt);

// The listening socket that inetd(8) gives to a "wait" service as its standard input, which leads
// to /dev/null from then on; none when standard input is anything else. Throws Error.
[[nodiscard]] std::vector<Listener> listener_on_standard_input(ListenerKind kind);

// For a server that takes sockets of several kinds: the number of descriptors that we were started
// with, from FIRST_INHERITED on. Some of them may be closed. This unsets the same variables.
// Throws Error when the variable has no number.
constexpr int first_inherited = 3; // SD_LISTEN_FDS_START
[[nodiscard]] unsigned take_inherited_count();

// Gives FILE to LISTENER, which our former image left us. FILE knows the address as the user wrote
// it. For a path over 107 bytes the kernel knows only a substitute (net/unix_name.h).
void attach_file(Listener& listener, UnixSocketFile file);

// The same as inherited_listeners() for one socket whose number is known.
[[nodiscard]] Listener inherited_listener(int number, ListenerKind kind);
// The same for LISTENER, which has its socket. If this throws Error, the socket stays open.
void use_inherited(Listener& listener, ListenerKind kind);

} // namespace ipcbox::net
