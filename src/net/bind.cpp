#include "net/bind.h"

#include "core/io.h"
#include "core/number.h"
#include "core/syscall.h"
#include "net/socket_options.h"
#include "net/socket_owner.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>

namespace ipcbox::net {

namespace {

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

} // namespace

void throw_explained(const BindError& error, int type) {
    const std::string message = error.what();
    if (error.error() == EADDRINUSE) {
        const auto owner = socket_owner(error.address, type);
        throw AddressInUse{owner.empty() ? message : fmt::format("{} (by {})", message, owner)};
    }
    if (const auto port = error.address.port(); error.error() == EACCES && port != 0)
        if (const int first = first_unprivileged_port(); port < first)
            throw Error{fmt::format("{} (ports below {} are for root)", message, first)};
    if (error.error() == EADDRNOTAVAIL)
        throw Error{fmt::format("{} (no interface of this machine has it)", message)};
    if (error.address.lacks_zone()) throw Error{fmt::format("{} ({})", message, zone_advice)};
    throw error; // NOLINT(cert-err60-cpp): a copy of an exception that is caught nowhere else
}

Fd make_socket(int family, int type) {
    const int number =
        sys::call("socket", ::socket, family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (number < 0) throw SysError("make", "a socket");
    return Fd::adopt(number);
}

void set_option(const Fd& socket, int level, int option, int value) {
    if (set_socket_option(socket, level, option, value) < 0)
        throw SysError("set", "an option of a socket");
}

void bind_to(const Fd& socket, const Address& address, Ipv4Too ipv4_too) {
    if (address.family() == AF_INET6)
        set_option(socket, IPPROTO_IPV6, IPV6_V6ONLY, ipv4_too == Ipv4Too::yes ? 0 : 1);
    const auto bind = [](int number, const sockaddr* to, socklen_t size) {
        return ::bind(number, to, size);
    };
    if (sys::call("bind", bind, socket.get(), address.data(), address.size()) < 0)
        throw BindError{address};
}

} // namespace ipcbox::net
