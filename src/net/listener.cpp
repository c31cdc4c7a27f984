#include "net/listener.h"

#include "core/error.h"
#include "core/io.h"
#include "core/number.h"
#include "core/syscall.h"
#include "net/resolve.h"
#include "net/socket_options.h"
#include "net/socket_owner.h"

#include <cstdlib>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ipcbox {

namespace {

constexpr std::chrono::seconds lookup_patience{10};

class ListenError : public SysError {
  public:
    explicit ListenError(const Address& where)
        : SysError("listen on", where.text()), address(where) {}

    Address address;
};

Fd make_socket(int family) {
    const int number =
        sys::call("socket", ::socket, family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (number < 0) throw SysError("make", "a socket");
    return Fd::adopt(number);
}

void set_option(const Fd& socket, int level, int option, int value) {
    if (set_socket_option(socket, level, option, value) < 0)
        throw SysError("set", "an option of a socket");
}

// Nothing when the descriptor is no such socket.
std::optional<int> get_option(const Fd& socket, int level, int option) {
    int value = 0;
    if (get_socket_option(socket.get(), level, option, value) < 0) return std::nullopt;
    return value;
}

void bind_to(const Fd& socket, const Address& address) {
    const auto bind = [](int number, const sockaddr* to, socklen_t size) {
        return ::bind(number, to, size);
    };
    if (sys::call("bind", bind, socket.get(), address.data(), address.size()) < 0)
        throw ListenError{address};
}

void start_listening(const Fd& socket, const Address& address, int backlog) {
    if (sys::call("listen", ::listen, socket.get(), backlog) < 0) throw ListenError{address};
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

enum class Ipv4Too { no, yes };

Listener listen_on(const Address& address, Ipv4Too ipv4_too, int backlog) {
    Listener listener;
    listener.socket = make_socket(address.family());
    // Not SO_REUSEPORT: two servers would share the clients, and neither know.
    set_option(listener.socket, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(listener.socket, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(listener.socket, IPPROTO_TCP, TCP_NODELAY, 1);
    if (address.family() == AF_INET6)
        set_option(listener.socket, IPPROTO_IPV6, IPV6_V6ONLY, ipv4_too == Ipv4Too::yes ? 0 : 1);
    bind_to(listener.socket, address);
    start_listening(listener.socket, address, backlog);
    listener.address = local_address(listener.socket.get());
    listener.text = describe(listener.socket, listener.address);
    return listener;
}

Address numeric(std::string_view ip, std::uint16_t port) {
    return Address::parse_ip(ip, port).value();
}

// When a host has several addresses, some can be of a family that is switched off here, or of
// another machine.
bool is_not_ours(int error) {
    return error == EAFNOSUPPORT || error == EADDRNOTAVAIL;
}

std::vector<Listener> listen_everywhere(std::uint16_t port, int backlog) {
    std::vector<Listener> listeners;
    try {
        listeners.push_back(listen_on(numeric("::", port), Ipv4Too::yes, backlog));
    } catch (const SysError& error) {
        if (!is_not_ours(error.error())) throw;
        listeners.push_back(listen_on(numeric("0.0.0.0", port), Ipv4Too::no, backlog));
    }
    return listeners;
}

// The port of the first is the port of all.
std::vector<Listener> listen_on_each(std::vector<Address> addresses, int backlog) {
    std::vector<Listener> listeners;
    for (auto& address : addresses) {
        if (!listeners.empty()) address.set_port(listeners.front().address.port());
        try {
            listeners.push_back(listen_on(address, Ipv4Too::no, backlog));
        } catch (const SysError& error) {
            const bool is_last_hope = listeners.empty() && &address == &addresses.back();
            if (is_last_hope || !is_not_ours(error.error())) throw;
        }
    }
    return listeners;
}

std::vector<Listener> listen_on_host(const HostPort& where, int backlog) {
    if (where.host.empty()) return listen_everywhere(where.port, backlog);
    const auto addresses =
        resolve(where.host, where.port, Family::any, Deadline::after(lookup_patience));
    // The port that the kernel chose for one address may be taken on the next.
    for (int attempts = where.port == 0 ? 20 : 1;; --attempts) {
        try {
            return listen_on_each(addresses, backlog);
        } catch (const ListenError& error) {
            if (error.error() != EADDRINUSE || attempts == 1) throw;
        }
    }
}

// ip(7), ip_unprivileged_port_start
int first_unprivileged_port() {
    constexpr auto setting = "/proc/sys/net/ipv4/ip_unprivileged_port_start";
    constexpr int usual = 1024;
    try {
        const Fd file = open_file(setting, O_RDONLY);
        const std::string text = read_to_end(file.get(), 64, setting);
        return whole_number<int>(std::string_view{text}.substr(0, text.find('\n'))).value_or(usual);
    } catch (const SysError&) {
        return usual;
    }
}

// With what a user can do about it.
Error explained(const ListenError& error) {
    const std::string message = error.what();
    if (error.error() == EADDRINUSE)
        if (const auto owner = socket_owner(error.address); !owner.empty())
            return Error{fmt::format("{} (by {})", message, owner)};
    if (const auto port = error.address.port(); error.error() == EACCES && port != 0)
        if (const int first = first_unprivileged_port(); port < first)
            return Error{fmt::format("{} (ports below {} are for root)", message, first)};
    if (error.error() == EADDRNOTAVAIL)
        return Error{fmt::format("{} (no interface of this machine has it)", message)};
    return error;
}

// A number that the environment gives, or nothing; it is unset.
template <class Number> std::optional<Number> take_number(const char* variable) {
    const char* text = std::getenv(variable);
    const auto number = text != nullptr ? whole_number<Number>(text) : std::nullopt;
    ::unsetenv(variable);
    return number;
}

// The option is 1 for a socket that listens.
bool is_listening_stream(const Fd& socket) {
    return get_option(socket, SOL_SOCKET, SO_ACCEPTCONN) == 1 &&
           get_option(socket, SOL_SOCKET, SO_TYPE) == SOCK_STREAM;
}

} // namespace

std::vector<Listener> listen_tcp(const HostPort& where, int backlog) {
    try {
        return listen_on_host(where, backlog);
    } catch (const ListenError& error) {
        throw explained(error);
    }
}

Listener listen_unix(const std::string& path, const UnixOptions& options) {
    Listener listener;
    listener.address = Address::unix_path(path);
    listener.text = path;
    listener.socket = make_socket(AF_UNIX);
    try {
        if (listener.address.is_abstract())
            bind_to(listener.socket, listener.address);
        else
            listener.file.emplace(path).bind(listener.socket, options.access);
        start_listening(listener.socket, listener.address, options.backlog);
    } catch (const ListenError& error) {
        throw explained(error);
    }
    return listener;
}

std::vector<Listener> inherited_listeners(ListenerKind kind) {
    constexpr int first = 3; // SD_LISTEN_FDS_START
    const auto for_whom = take_number<pid_t>("LISTEN_PID");
    const auto count = take_number<unsigned>("LISTEN_FDS");
    ::unsetenv("LISTEN_FDNAMES");
    ::unsetenv("LISTEN_PIDFDID");
    std::vector<Listener> listeners;
    if (for_whom != ::getpid() || !count) return listeners;
    // A number that is too large ends at the first descriptor that is not open.
    for (unsigned at = 0; at < *count; ++at)
        listeners.push_back(inherited_listener(first + static_cast<int>(at), kind));
    return listeners;
}

Listener inherited_listener(int number, ListenerKind kind) {
    Listener listener;
    listener.socket = Fd::adopt(number);
    if (is_listening_stream(listener.socket)) listener.address = local_address(number);
    const bool wants_unix = kind == ListenerKind::unix_domain;
    if (wants_unix ? !listener.address.is_unix() : listener.address.ip_bytes().empty())
        throw Error(
            fmt::format("cannot use the descriptor {} that we were given: expected a listening {} "
                        "socket",
                        number, wants_unix ? "Unix stream" : "TCP"));
    set_across_exec(listener.socket, AcrossExec::close);
    set_nonblocking(listener.socket);
    if (!wants_unix) {
        set_option(listener.socket, SOL_SOCKET, SO_KEEPALIVE, 1);
        set_option(listener.socket, IPPROTO_TCP, TCP_NODELAY, 1);
    }
    listener.text = describe(listener.socket, listener.address);
    return listener;
}

} // namespace ipcbox
