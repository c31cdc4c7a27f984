// Sockets that listen: TCP on one or all interfaces, Unix sockets, and those that we are started
// with. All are close-on-exec and non-blocking. Errors say what a user has to know: who has the
// port, from which one on ports are for everybody.
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
    std::optional<UnixSocketFile> file; // goes first: nobody finds a socket that is closed
};

// How many clients may wait to be accepted; the kernel takes no more than net.core.somaxconn, 4096
// by default (listen(2)).
constexpr int default_backlog = 4096;

// Listens on every address of the host that this machine has, on the same port of each, also when
// port 0 has the kernel choose it. Without a host: one socket for all interfaces, IPv6 and IPv4, or
// IPv4 alone on a machine without IPv6. The connections inherit TCP_NODELAY and SO_KEEPALIVE
// (tcp(7)). Throws Error; looking up a name takes no longer than 10 s.
[[nodiscard]] std::vector<Listener> listen_tcp(const HostPort& where,
                                               int backlog = default_backlog);

struct UnixOptions {
    UnixSocketFile::Access access; // of no meaning for an abstract name
    int backlog = default_backlog;
};

// PATH, or "@name" in the abstract namespace. Throws Error.
[[nodiscard]] Listener listen_unix(const std::string& path, const UnixOptions& options = {});

// The listening stream sockets that we were started with (sd_listen_fds(3): LISTEN_FDS, for the
// process LISTEN_PID); none when the variables are not there or are not for us. With NAME only
// those that LISTEN_FDNAMES calls so; the others are closed. The variables are unset, so that no
// program that we start takes them for its own. Call it once, before other descriptors are opened.
// Throws Error when one of the descriptors is anything else.
enum class ListenerKind { tcp, unix_domain };
[[nodiscard]] std::vector<Listener>
inherited_listeners(ListenerKind kind, const std::optional<std::string>& name = std::nullopt);

// The listening socket that inetd(8) gives to a "wait" service as its standard input, which leads
// to /dev/null from then on; none when standard input is anything else. Throws Error.
[[nodiscard]] std::vector<Listener> listener_on_standard_input(ListenerKind kind);

// For who takes sockets of several kinds: how many we were started with, the first of which is
// this one; the same is unset. There can be fewer than so many.
constexpr int first_inherited = 3; // SD_LISTEN_FDS_START
[[nodiscard]] unsigned take_inherited_count();

// Gives LISTENER, which our former image left us, its FILE. The file knows the address as the user
// wrote it; of a path over 107 bytes the kernel knows another one (net/unix_name.h).
void attach_file(Listener& listener, UnixSocketFile file);

// The same as inherited_listeners() for one socket whose number is known.
[[nodiscard]] Listener inherited_listener(int number, ListenerKind kind);

} // namespace ipcbox::net
