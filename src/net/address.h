// Socket addresses: IPv4, IPv6 and Unix (ip(7), ipv6(7), unix(7)), as values that can be compared,
// and their one spelling.
//
// An IPv4 address is an IPv4 address however it is written: wherever this class reads an address (a
// user's text, the bytes of a protocol, the answer of a system call), ::ffff:192.0.2.1 becomes
// 192.0.2.1 (RFC 4291, 2.5.5.2). No Address is a mapped one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>

namespace ipcbox::net {

class Address {
  public:
    // No address (AF_UNSPEC), as getpeername(2) gives it for an unnamed Unix socket.
    Address() noexcept = default;

    // The address that a system call stored in STORAGE.
    Address(const sockaddr_storage& storage, socklen_t size) noexcept;

    // A numeric IP address: "192.0.2.1", "2001:db8::1", and with a zone "fe80::1%eth0" or
    // "fe80::1%4", the number of the interface. Nothing for anything else.
    [[nodiscard]] static std::optional<Address> parse_ip(std::string_view text, std::uint16_t port);

    // The address whose ip_bytes() are BYTES. Nothing unless there are 4 or 16 bytes.
    [[nodiscard]] static std::optional<Address> of_ip_bytes(std::string_view bytes,
                                                            std::uint16_t port);

    // The path of a Unix socket; "@name" is in the abstract namespace. Throws Error when PATH is
    // empty, when an abstract name has more than 107 bytes, and when a path has more than 4095.
    //
    // sockaddr_un has room for 107 bytes of a path. A longer one is an Address like any other,
    // except that data() cannot express it. net/unix_name.h finds a short name for it.
    [[nodiscard]] static Address unix_path(std::string_view path);

    [[nodiscard]] int family() const noexcept { return storage_.ss_family; }
    [[nodiscard]] bool is_unix() const noexcept { return family() == AF_UNIX; }
    [[nodiscard]] bool is_abstract() const noexcept;
    // Whether it is 0.0.0.0 or ::, which means all interfaces.
    [[nodiscard]] bool is_wildcard() const noexcept;
    // Whether it is a link-local IPv6 address without its interface: bind(2) and connect(2) refuse
    // it (EINVAL).
    [[nodiscard]] bool lacks_zone() const noexcept;

    // "192.0.2.1", "2001:db8::1": without the port. The path or "@name" of a Unix address; empty
    // for an unnamed one.
    [[nodiscard]] std::string host() const;
    // 0 when it has none.
    [[nodiscard]] std::uint16_t port() const noexcept;
    void set_port(std::uint16_t port) noexcept;

    // "192.0.2.1:80", "[2001:db8::1]:80", "/run/socket", "@name".
    [[nodiscard]] std::string text() const;

    // The 4 or 16 bytes of an IP address in network order; empty for any other.
    [[nodiscard]] std::string_view ip_bytes() const noexcept;

    // A path over 107 bytes.
    [[nodiscard]] bool is_long_path() const noexcept { return !long_path_.empty(); }

    // As bind(2) and connect(2) take it. A long path has the size 0, which they refuse (EINVAL).
    [[nodiscard]] const sockaddr* data() const noexcept;
    [[nodiscard]] socklen_t size() const noexcept { return size_; }

    [[nodiscard]] bool operator==(const Address& other) const noexcept;

  private:
    void unmap() noexcept;

    sockaddr_storage storage_{};
    socklen_t size_ = 0;
    std::string long_path_;
};

// For the user who gave an address that lacks_zone().
inline constexpr std::string_view zone_advice =
    "a link-local address needs its interface: fe80::1%eth0";

// The addresses of a socket: our own end, and the peer's end. Both throw SysError.
[[nodiscard]] Address local_address(int socket);
[[nodiscard]] Address peer_address(int socket);

// A TCP address as users write it: "2345", "localhost:80", "192.0.2.1:http", "[::1]:80".
struct HostPort {
    std::string host; // empty when only a port was written
    std::uint16_t port = 0;

    // Throws std::invalid_argument, saying what was expected, as an option's parser does.
    [[nodiscard]] static HostPort parse(std::string_view text);
    // "localhost:80", "[::1]:80", "80"
    [[nodiscard]] std::string text() const;
};

// A host as users write it where the port may be left out: "localhost", "localhost:80",
// "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "[2001:db8::1]:http".
struct WrittenHost {
    std::string host; // not checked, except for the colons of an address
    std::optional<std::uint16_t> port;

    // Throws std::invalid_argument, as above.
    [[nodiscard]] static WrittenHost parse(std::string_view text);
};

} // namespace ipcbox::net
