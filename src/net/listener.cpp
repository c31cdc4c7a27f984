#include "net/listener.h"

#include "core/error.h"
#include "core/number.h"
#include "core/syscall.h"
#include "core/words.h"
#include "net/bind.h"
#include "net/socket_options.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ipcbox::net {

namespace {

// Nothing when the descriptor is not such a socket.
std::optional<int> get_option(const Fd& socket, int level, int option) {
    int value = 0;
    if (get_socket_option(socket.get(), level, option, value) < 0) return std::nullopt;
    return value;
}

void start_listening(const Fd& socket, const Address& address, int backlog) {
    if (sys::call("listen", ::listen, socket.get(), backlog) < 0) throw BindError{address};
}

std::string describe(const Fd& socket, const Address& address) {
    if (address.is_unix() || !address.is_wildcard()) return address.text();
    const bool one_family = address.family() == AF_INET ||
                            get_option(socket, IPPROTO_IPV6, IPV6_V6ONLY).value_or(1) != 0;
    const std::string_view which = !one_family                   ? "all interfaces"
                                   : address.family() == AF_INET ? "all IPv4 interfaces"
                                                                 : "all IPv6 interfaces";
    return fmt::format("{} ({})", address.text(), which);
}

Listener listen_on(const Address& address, Ipv4Too ipv4_too, int backlog) {
    Listener listener;
    listener.socket = make_socket(address.family(), SOCK_STREAM);
    // SO_REUSEPORT would let two servers share the clients without noticing.
    set_option(listener.socket, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(listener.socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(listener.socket, IPPROTO_TCP, TCP_NODELAY, 1);
    bind_to(listener.socket, address, ipv4_too);
    start_listening(listener.socket, address, backlog);
    listener.address = local_address(listener.socket.get());
    listener.text = describe(listener.socket, listener.address);
    return listener;
}

// Reads a number from the environment and unsets VARIABLE. Nothing when it is not a number.
template <class Number> std::optional<Number> take_number(const char* variable) {
    const char* text = std::getenv(variable);
    const auto number = text != nullptr ? whole_number<Number>(text) : std::nullopt;
    ::unsetenv(variable);
    return number;
}

// Whether the socket listens: then this option is 1.
bool is_listening_stream(const Fd& socket) {
    return get_option(socket, SOL_SOCKET, SO_ACCEPTCONN) == 1 &&
           get_option(socket, SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
}

} // namespace

std::vector<Listener> listen_tcp(const HostPort& where, int backlog) {
    try {
        return bind_each(where, [backlog](const Address& address, Ipv4Too ipv4_too) {
            return listen_on(address, ipv4_too, backlog);
        });
    } catch (const BindError& error) {
        throw_explained(error, SOCK_STREAM);
    }
}

Listener listen_unix(const std::string& path, const UnixOptions& options) {
    Listener listener;
    listener.address = Address::unix_path(path);
    listener.text = path;
    listener.socket = make_socket(AF_UNIX, SOCK_STREAM);
    try {
        if (listener.address.is_abstract())
            bind_to(listener.socket, listener.address, Ipv4Too::no);
        else
            listener.file.emplace(path).bind(listener.socket, options.access);
        start_listening(listener.socket, listener.address, options.backlog);
    } catch (const BindError& error) {
        throw_explained(error, SOCK_STREAM);
    }
    return listener;
}

unsigned take_inherited_count() {
    const char* const text = std::getenv("LISTEN_FDS");
    const std::string written = text != nullptr ? text : "";
    const auto for_whom = take_number<pid_t>("LISTEN_PID");
    const auto count = take_number<unsigned>("LISTEN_FDS");
    ::unsetenv("LISTEN_FDNAMES");
    ::unsetenv("LISTEN_PIDFDID");
    if (for_whom != ::getpid() || written.empty()) return 0;
    // Fail, because without its sockets the server would listen elsewhere, and nobody would notice.
    if (!count) throw Error(fmt::format("cannot read LISTEN_FDS={}: it is not a number", written));
    return *count;
}

std::vector<Listener> inherited_listeners(ListenerKind kind,
                                          const std::optional<std::string>& name) {
    const char* const text = std::getenv("LISTEN_FDNAMES");
    const std::string names = text != nullptr ? text : "";
    std::vector<Listener> listeners;
    const unsigned count = take_inherited_count();
    std::string_view left = names; // "web:admin"
    for (unsigned at = 0; at < count; ++at) {
        const int number = first_inherited + static_cast<int>(at);
        const auto its_name = take_until(left, ':');
        if (name && its_name != *name)
            let_go_of(number, "an inherited socket");
        else
            listeners.push_back(inherited_listener(number, kind));
    }
    return listeners;
}

std::vector<Listener> listener_on_standard_input(ListenerKind kind) {
    int accepts = 0;
    if (get_socket_option(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, accepts) < 0 || accepts != 1)
        return {};
    std::vector<Listener> listeners;
    listeners.push_back(inherited_listener(STDIN_FILENO, kind));
    let_go_of(STDIN_FILENO, "standard input");
    return listeners;
}

void attach_file(Listener& listener, UnixSocketFile file) {
    listener.address = Address::unix_path(file.path());
    listener.text = file.path();
    listener.file = std::move(file);
}

Listener inherited_listener(int number, ListenerKind kind) {
    Listener listener;
    listener.socket = Fd::adopt(number);
    use_inherited(listener, kind);
    return listener;
}

void use_inherited(Listener& listener, ListenerKind kind) {
    if (is_listening_stream(listener.socket))
        listener.address = local_address(listener.socket.get());
    const bool wants_unix = kind == ListenerKind::unix_domain;
    if (wants_unix ? !listener.address.is_unix() : listener.address.ip_bytes().empty())
        throw Error(
            fmt::format("cannot use the descriptor {} that we were given: expected a listening {} "
                        "socket",
                        listener.socket.get(), wants_unix ? "Unix stream" : "TCP"));
    set_across_exec(listener.socket, AcrossExec::close);
    set_nonblocking(listener.socket);
    if (!wants_unix) {
        set_option(listener.socket, SOL_SOCKET, SO_KEEPALIVE, 1);
        set_option(listener.socket, IPPROTO_TCP, TCP_NODELAY, 1);
    }
    listener.text = describe(listener.socket, listener.address);
}

} // namespace ipcbox::net
