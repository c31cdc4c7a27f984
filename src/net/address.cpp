#include "net/address.h"

#include "core/error.h"
#include "core/number.h"
#include "core/service.h"
#include "core/syscall.h"

#include <arpa/inet.h>
#include <array>
#include <climits>
#include <cstddef>
#include <cstring>
#include <fmt/core.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/un.h>
#include <utility>

namespace ipcbox::net {

namespace {

// socket(7) permits to read a sockaddr_storage as each of these types.
template <class Kind> const Kind& as(const sockaddr_storage& storage) {
    return reinterpret_cast<const Kind&>(storage);
}
template <class Kind> Kind& as(sockaddr_storage& storage) {
    return reinterpret_cast<Kind&>(storage);
}

std::string bracketed(const std::string& host, std::uint16_t port) {
    const bool colons = host.find(':') != std::string::npos;
    return colons ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

// RFC 4007 (11.2): the name of an interface, or its number.
std::optional<unsigned> scope_number(const std::string& zone) {
    if (const unsigned index = ::if_nametoindex(zone.c_str()); index != 0) return index;
    const auto number = whole_number<unsigned>(zone);
    return number && *number != 0 ? number : std::nullopt;
}

constexpr auto wrong_port =
    "expected [HOST:]PORT, where PORT is a number from 0 to 65535 or the name of a service";

// [HOST:]PORT. Throws std::invalid_argument when only the port is wrong.
std::optional<HostPort> host_and_port(std::string_view text) {
    HostPort parsed;
    if (const auto colon = text.rfind(':'); colon != std::string_view::npos) {
        auto host = text.substr(0, colon);
        const bool brackets = host.starts_with('[') && host.ends_with(']');
        if (brackets) host = host.substr(1, host.size() - 2);
        if (host.empty() || (!brackets && host.find(':') != std::string_view::npos))
            return std::nullopt;
        parsed.host = host;
        text.remove_prefix(colon + 1);
    }
    const auto port = service_port(text);
    if (!port && !text.empty() && text != "[]") throw std::invalid_argument(wrong_port);
    if (!port) return std::nullopt;
    parsed.port = *port;
    return parsed;
}

// accept4(2) and others fit this type too.
using NameCall = int (*)(int, sockaddr*, socklen_t*);

Address name_of(const char* call, NameCall function, int socket, std::string_view what) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    const auto ask = [function](int fd, sockaddr_storage* into, socklen_t* length) {
        return function(fd, reinterpret_cast<sockaddr*>(into), length);
    };
    if (sys::call(call, ask, socket, &storage, &size) < 0) throw SysError("find", what);
    return Address{storage, size};
}

} // namespace

Address::Address(const sockaddr_storage& storage, socklen_t size) noexcept
    : storage_(storage), size_(size) {
    unmap();
}

void Address::unmap() noexcept {
    if (family() != AF_INET6) return;
    const sockaddr_in6 mapped = as<sockaddr_in6>(storage_);
    if (!IN6_IS_ADDR_V4MAPPED(&mapped.sin6_addr)) return;
    storage_ = {};
    auto& plain = as<sockaddr_in>(storage_);
    plain.sin_family = AF_INET;
    plain.sin_port = mapped.sin6_port;
    constexpr std::size_t prefix = 12;
    std::memcpy(&plain.sin_addr, &mapped.sin6_addr.s6_addr[prefix], sizeof plain.sin_addr);
    size_ = sizeof plain;
}

std::optional<Address> Address::parse_ip(std::string_view text, std::uint16_t port) {
    // Refuse a NUL: inet_pton(3) and if_nametoindex(3) would ignore everything after it.
    if (text.find('\0') != std::string_view::npos) return std::nullopt;
    Address address;
    const std::string host{text.substr(0, text.find('%'))};
    auto& four = as<sockaddr_in>(address.storage_);
    auto& six = as<sockaddr_in6>(address.storage_);
    if (host.size() == text.size() && ::inet_pton(AF_INET, host.c_str(), &four.sin_addr) == 1) {
        four.sin_family = AF_INET;
        address.size_ = sizeof four;
    } else if (::inet_pton(AF_INET6, host.c_str(), &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        address.size_ = sizeof six;
        if (host.size() != text.size()) {
            const auto scope = scope_number(std::string{text.substr(host.size() + 1)});
            if (!scope) return std::nullopt;
            six.sin6_scope_id = *scope;
        }
    } else {
        return std::nullopt;
    }
    address.unmap();
    address.set_port(port);
    return address;
}

std::optional<Address> Address::of_ip_bytes(std::string_view bytes, std::uint16_t port) {
    Address address;
    auto& four = as<sockaddr_in>(address.storage_);
    auto& six = as<sockaddr_in6>(address.storage_);
    if (bytes.size() == sizeof four.sin_addr) {
        four.sin_family = AF_INET;
        std::memcpy(&four.sin_addr, bytes.data(), bytes.size());
        address.size_ = sizeof four;
    } else if (bytes.size() == sizeof six.sin6_addr) {
        six.sin6_family = AF_INET6;
        std::memcpy(&six.sin6_addr, bytes.data(), bytes.size());
        address.size_ = sizeof six;
    } else {
        return std::nullopt;
    }
    address.unmap();
    address.set_port(port);
    return address;
}

Address Address::unix_path(std::string_view path) {
    Address address;
    auto& name = as<sockaddr_un>(address.storage_);
    // A path needs its final zero byte, an abstract name has a zero byte in place of the @.
    constexpr std::size_t max_name = sizeof name.sun_path - 1;
    constexpr std::size_t max_path = PATH_MAX - 1;
    if (path.empty() || path == "@") throw Error("a Unix socket needs a path or a @name");
    const bool abstract = path.front() == '@';
    const auto max_size = abstract ? max_name : max_path;
    if (path.size() > max_size)
        throw Error(fmt::format("the socket's {} has {} bytes; the kernel takes at most {}",
                                abstract ? "@name" : "path", path.size(), max_size));
    name.sun_family = AF_UNIX;
    if (path.size() > max_name) {
        address.long_path_ = path;
        return address;
    }
    path.copy(name.sun_path, path.size());
    if (abstract) name.sun_path[0] = '\0';
    const std::size_t end = path.size() + (abstract ? 0 : 1);
    address.size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + end);
    return address;
}

bool Address::is_abstract() const noexcept {
    return is_unix() && size_ > offsetof(sockaddr_un, sun_path) &&
           as<sockaddr_un>(storage_).sun_path[0] == '\0';
}

bool Address::is_wildcard() const noexcept {
    const auto bytes = ip_bytes();
    return !bytes.empty() && bytes.find_first_not_of('\0') == std::string_view::npos;
}

std::string Address::host() const {
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (family() == AF_INET) {
        ::inet_ntop(AF_INET, &as<sockaddr_in>(storage_).sin_addr, text.data(), text.size());
        return text.data();
    }
    if (family() == AF_INET6) {
        const auto& six = as<sockaddr_in6>(storage_);
        ::inet_ntop(AF_INET6, &six.sin6_addr, text.data(), text.size());
        std::array<char, IF_NAMESIZE> scope{};
        if (six.sin6_scope_id == 0) return text.data();
        if (::if_indextoname(six.sin6_scope_id, scope.data()) == nullptr)
            return fmt::format("{}%{}", text.data(), six.sin6_scope_id);
        return fmt::format("{}%{}", text.data(), scope.data());
    }
    if (is_long_path()) return long_path_;
    if (!is_unix() || size_ <= offsetof(sockaddr_un, sun_path)) return {};
    const auto& name = as<sockaddr_un>(storage_);
    const std::size_t length = size_ - offsetof(sockaddr_un, sun_path);
    if (is_abstract()) return "@" + std::string{name.sun_path + 1, length - 1};
    return {name.sun_path, ::strnlen(name.sun_path, length)};
}

std::uint16_t Address::port() const noexcept {
    if (family() == AF_INET) return ntohs(as<sockaddr_in>(storage_).sin_port);
    if (family() == AF_INET6) return ntohs(as<sockaddr_in6>(storage_).sin6_port);
    return 0;
}

void Address::set_port(std::uint16_t port) noexcept {
    if (family() == AF_INET) as<sockaddr_in>(storage_).sin_port = htons(port);
    if (family() == AF_INET6) as<sockaddr_in6>(storage_).sin6_port = htons(port);
}

bool Address::lacks_zone() const noexcept {
    if (family() != AF_INET6) return false;
    const auto& six = as<sockaddr_in6>(storage_);
    return IN6_IS_ADDR_LINKLOCAL(&six.sin6_addr) && six.sin6_scope_id == 0;
}

std::string Address::text() const {
    return is_unix() ? host() : bracketed(host(), port());
}

std::string_view Address::ip_bytes() const noexcept {
    if (family() == AF_INET) {
        const auto& bytes = as<sockaddr_in>(storage_).sin_addr;
        return {reinterpret_cast<const char*>(&bytes), sizeof bytes};
    }
    if (family() == AF_INET6) {
        const auto& bytes = as<sockaddr_in6>(storage_).sin6_addr;
        return {reinterpret_cast<const char*>(&bytes), sizeof bytes};
    }
    return {};
}

const sockaddr* Address::data() const noexcept {
    return reinterpret_cast<const sockaddr*>(&storage_);
}

bool Address::operator==(const Address& other) const noexcept {
    return size_ == other.size_ && std::memcmp(&storage_, &other.storage_, size_) == 0 &&
           family() == other.family() && long_path_ == other.long_path_;
}

Address local_address(int socket) {
    return name_of("getsockname", ::getsockname, socket, "our own address");
}

Address peer_address(int socket) {
    return name_of("getpeername", ::getpeername, socket, "the peer's address");
}

HostPort HostPort::parse(std::string_view text) {
    if (auto parsed = host_and_port(text)) return *std::move(parsed);
    throw std::invalid_argument("expected [HOST:]PORT, with an IPv6 address in brackets");
}

std::string HostPort::text() const {
    return host.empty() ? fmt::format("{}", port) : bracketed(host, port);
}

WrittenHost WrittenHost::parse(std::string_view text) {
    auto host = text;
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    const bool colon = host.find(':') != std::string_view::npos;
    if (!host.empty() && (!colon || Address::parse_ip(host, 0)))
        return {std::string{host}, std::nullopt};
    if (auto both = host_and_port(text); both && !both->host.empty())
        return {std::move(both->host), both->port};
    throw std::invalid_argument("expected HOST or HOST:PORT, with an IPv6 address in brackets");
}

} // namespace ipcbox::net
