#include "net/address.h"

#include "core/error.h"
#include "core/fd.h"

#include <array>
#include <cstddef>
#include <cstring>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <stdexcept>
#include <sys/un.h>

using namespace ipcbox;

namespace {

net::Address at(std::string_view ip, std::uint16_t port = 80) {
    const auto address = net::Address::parse_ip(ip, port);
    REQUIRE(address);
    return *address;
}

// The address as a system call fills it in.
net::Address filled_in(const net::Address& address) {
    sockaddr_storage storage{};
    std::memcpy(&storage, address.data(), address.size());
    return net::Address{storage, address.size()};
}

std::string host_port(std::string_view text) {
    const auto parsed = net::HostPort::parse(text);
    CHECK(net::HostPort::parse(parsed.text()).text() == parsed.text());
    return parsed.text();
}

} // namespace

TEST_CASE("numeric addresses keep their spelling") {
    for (const auto* ip : {"192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "::1", "2001:db8::1",
                           "ff02::1", "::fffe:c000:201"}) {
        CHECK(at(ip).host() == ip);
        CHECK(at(ip).port() == 80);
        CHECK_FALSE(at(ip).is_unix());
        CHECK(at(at(ip).host()) == at(ip));
    }
    CHECK(at("2001:DB8:0:0:0:0:0:1").host() == "2001:db8::1");
    CHECK(at("192.0.2.1").family() == AF_INET);
    CHECK(at("::1").family() == AF_INET6);
    CHECK(at("192.0.2.1").text() == "192.0.2.1:80");
    CHECK(at("::1", 0).text() == "[::1]:0");
    CHECK(at("192.0.2.1").size() == sizeof(sockaddr_in));
    CHECK(at("::1").size() == sizeof(sockaddr_in6));
}

TEST_CASE("a text that is not a numeric address is refused") {
    for (const auto* text :
         {"", "localhost", "192.0.2", "192.0.2.256", "192.0.2.01", "192.0.2.1 ", " ::1", "[::1]",
          "::1::", "1:2:3:4:5:6:7:8:9", "::1%", "::1%no-such-interface", "192.0.2.1%lo", "%lo"})
        CHECK_FALSE(net::Address::parse_ip(text, 80));
    CHECK_FALSE(net::Address::parse_ip(std::string_view{"192.0.2.1\0", 10}, 80));
    CHECK_FALSE(net::Address::parse_ip(std::string_view{"fe80::1%lo\0x", 12}, 80));
}

TEST_CASE("a scope is the name of an interface or its number") {
    CHECK(at("fe80::1%1") == at("fe80::1%lo"));
    CHECK(at("fe80::1%4294967295").text() == "[fe80::1%4294967295]:80");
    CHECK(at(at("fe80::1%4294967295").host()) == at("fe80::1%4294967295"));
    for (const auto* text : {"fe80::1%0", "fe80::1%-1", "fe80::1%4294967296", "fe80::1%1x"})
        CHECK_FALSE(net::Address::parse_ip(text, 80));
    CHECK(at("fe80::1%lo").text() == "[fe80::1%lo]:80");
    CHECK_FALSE(at("fe80::1%lo") == at("fe80::1"));
    CHECK(filled_in(at("fe80::1%lo")) == at("fe80::1%lo"));
}

TEST_CASE("a mapped address is the IPv4 address, wherever it is read") {
    constexpr std::string_view bytes{"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16};
    sockaddr_in6 name{};
    name.sin6_family = AF_INET6;
    name.sin6_port = htons(80);
    bytes.copy(reinterpret_cast<char*>(&name.sin6_addr), bytes.size());
    sockaddr_storage storage{};
    std::memcpy(&storage, &name, sizeof name);
    for (const auto& plain :
         {net::Address{storage, sizeof name}, at("::ffff:192.0.2.1"), at("::FFFF:c000:201"),
          at("::ffff:192.0.2.1%lo"), *net::Address::of_ip_bytes(bytes, 80)}) {
        CHECK(plain == at("192.0.2.1"));
        CHECK(plain.text() == "192.0.2.1:80");
    }
    CHECK(at("::ffff:0.0.0.0").is_wildcard());
    CHECK(filled_in(at("::1")) == at("::1"));
    CHECK(filled_in(at("::192.0.2.1")).family() == AF_INET6); // this is not the mapping prefix
}

TEST_CASE("the bytes of an address are in network order") {
    CHECK(at("192.0.2.1").ip_bytes() == std::string_view{"\xc0\0\2\1", 4});
    CHECK(at("::1").ip_bytes() == std::string(15, '\0') + '\1');
    CHECK(net::Address::unix_path("/socket").ip_bytes().empty());
    CHECK(net::Address{}.ip_bytes().empty());
    for (const auto* ip : {"192.0.2.1", "::1", "::ffff:192.0.2.1"})
        CHECK(net::Address::of_ip_bytes(at(ip).ip_bytes(), 80) == at(ip));
    CHECK_FALSE(net::Address::of_ip_bytes("", 80));
    CHECK_FALSE(net::Address::of_ip_bytes("12345", 80));
}

TEST_CASE("the wildcard addresses stand for all interfaces") {
    CHECK(at("0.0.0.0").is_wildcard());
    CHECK(at("::").is_wildcard());
    CHECK_FALSE(at("0.0.0.1").is_wildcard());
    CHECK_FALSE(at("::1").is_wildcard());
    CHECK_FALSE(net::Address::unix_path("/socket").is_wildcard());
    CHECK_FALSE(net::Address{}.is_wildcard());
}

TEST_CASE("addresses with different ports differ") {
    auto address = at("::1", 1);
    CHECK_FALSE(address == at("::1", 2));
    address.set_port(2);
    CHECK(address == at("::1", 2));
    CHECK(address.port() == 2);
    auto socket = net::Address::unix_path("/socket");
    socket.set_port(2);
    CHECK(socket.port() == 0);
    CHECK(socket == net::Address::unix_path("/socket"));
    CHECK_FALSE(at("0.0.0.0") == at("::"));
}

TEST_CASE("a path or @name is the address of a Unix socket") {
    for (const auto& path : {std::string{"/run/socket"}, std::string{"a"}, std::string{"@name"},
                             std::string{"./@name"}, std::string(107, 'x'),
                             "@" + std::string(106, 'x'), "@" + std::string{"a\0b", 3}}) {
        const auto address = net::Address::unix_path(path);
        CHECK(address.is_unix());
        CHECK(address.text() == path);
        CHECK(address.host() == path);
        CHECK(address.port() == 0);
        CHECK(address.is_abstract() == (path.front() == '@'));
        CHECK(filled_in(address) == address);
    }
    CHECK_THROWS_WITH_AS((void)net::Address::unix_path(std::string(4096, 'x')),
                         "the socket's path has 4096 bytes; the kernel takes at most 4095", Error);
    CHECK_THROWS_AS((void)net::Address::unix_path("@" + std::string(107, 'x')), Error);
    CHECK_THROWS_AS((void)net::Address::unix_path(""), Error);
    CHECK_THROWS_AS((void)net::Address::unix_path("@"), Error);
    // An abstract name has no zero byte at its end (unix(7)).
    CHECK(net::Address::unix_path("@name").size() == offsetof(sockaddr_un, sun_path) + 5);
    CHECK(net::Address::unix_path("name").size() == offsetof(sockaddr_un, sun_path) + 5);
}

TEST_CASE("a long path is an address that no system call takes") {
    const auto address = net::Address::unix_path(std::string(108, 'x'));
    CHECK(address.is_unix());
    CHECK(address.is_long_path());
    CHECK_FALSE(address.is_abstract());
    CHECK(address.text() == std::string(108, 'x'));
    CHECK(address.size() == 0);
    CHECK(address == net::Address::unix_path(std::string(108, 'x')));
    CHECK_FALSE(address == net::Address::unix_path(std::string(108, 'y')));
    CHECK_FALSE(address == net::Address{});
    CHECK_FALSE(net::Address::unix_path(std::string(107, 'x')).is_long_path());
}

TEST_CASE("a path that fills its field has no zero byte at its end") {
    sockaddr_storage storage{};
    auto& name = reinterpret_cast<sockaddr_un&>(storage);
    name.sun_family = AF_UNIX;
    std::memset(name.sun_path, 'x', sizeof name.sun_path);
    CHECK(net::Address{storage, sizeof name}.text() == std::string(108, 'x'));
}

TEST_CASE("an empty address has no host and no port") {
    CHECK(net::Address{} == net::Address{});
    CHECK_FALSE(net::Address{}.is_unix());
    CHECK_FALSE(net::Address{}.is_abstract());
    CHECK(net::Address{}.host().empty());
    CHECK(net::Address{}.port() == 0);
    // The peer of a socketpair(2) is a Unix socket without a name.
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0);
    const Fd one = Fd::adopt(ends[0]);
    const Fd other = Fd::adopt(ends[1]);
    const auto unnamed = net::peer_address(one.get());
    CHECK(unnamed.is_unix());
    CHECK_FALSE(unnamed.is_abstract());
    CHECK(unnamed.text().empty());
    CHECK(net::local_address(other.get()) == unnamed);
    CHECK_THROWS_AS((void)net::local_address(-1), SysError);
    CHECK_THROWS_AS((void)net::peer_address(-1), SysError);
}

TEST_CASE("a TCP address has a port and may have a host") {
    CHECK(host_port("2345") == "2345");
    CHECK(net::HostPort::parse("2345").host.empty());
    CHECK(host_port("localhost:80") == "localhost:80");
    CHECK(host_port("localhost:http") == "localhost:80");
    CHECK(host_port("http") == "80");
    CHECK(host_port("192.0.2.1:0") == "192.0.2.1:0");
    CHECK(host_port("[::1]:65535") == "[::1]:65535");
    CHECK(net::HostPort::parse("[::1]:80").host == "::1");
    CHECK(host_port("[fe80::1%eth0]:80") == "[fe80::1%eth0]:80");
    CHECK(host_port("[localhost]:80") == "localhost:80");
}

TEST_CASE("a text that is not a TCP address is refused") {
    for (const auto* text : {"", ":", ":80", "localhost:", "::1", "::1:80", "[::1]", "[::1]80",
                             "[]:80", "[::1:80", "::1]:80", "a:b:80"})
        CHECK_THROWS_WITH_AS((void)net::HostPort::parse(text),
                             "expected [HOST:]PORT, with an IPv6 address in brackets",
                             std::invalid_argument);
}

TEST_CASE("a text in the place of a port is reported as a bad port") {
    for (const auto* text : {"localhost:65536", "localhost:-1", "80:localhost", "[::1]:nosuch"}) {
        constexpr auto reason =
            "expected [HOST:]PORT, where PORT is a number from 0 to 65535 or the name of a service";
        CHECK_THROWS_WITH_AS((void)net::HostPort::parse(text), reason, std::invalid_argument);
        CHECK_THROWS_WITH_AS((void)net::WrittenHost::parse(text), reason, std::invalid_argument);
    }
    for (const auto* text : {"localhost", "65536", "no such service"})
        CHECK_THROWS_WITH_AS(
            (void)net::HostPort::parse(text),
            "expected [HOST:]PORT, where PORT is a number from 0 to 65535 or the name of a service",
            std::invalid_argument);
}

TEST_CASE("a link-local address without its interface is known") {
    const auto lacks = [](const char* ip) { return net::Address::parse_ip(ip, 80)->lacks_zone(); };
    CHECK(lacks("fe80::1"));
    CHECK(lacks("febf::1"));
    CHECK_FALSE(lacks("fe80::1%lo"));
    CHECK_FALSE(lacks("fec0::1"));
    CHECK_FALSE(lacks("::1"));
    CHECK_FALSE(lacks("169.254.0.1"));
}

TEST_CASE("a host may be written with or without a port") {
    const auto written = [](std::string_view text) {
        const auto parsed = net::WrittenHost::parse(text);
        return parsed.port ? net::HostPort{parsed.host, *parsed.port}.text() : parsed.host;
    };
    CHECK(written("localhost") == "localhost");
    CHECK(written("localhost:http") == "localhost:80");
    CHECK(written("192.0.2.1") == "192.0.2.1");
    CHECK(written("192.0.2.1:0") == "192.0.2.1:0");
    CHECK(written("80") == "80");
    CHECK(written("::1") == "::1");
    CHECK(written("[::1]") == "::1");
    CHECK(written("[::1]:80") == "[::1]:80");
    CHECK(written("fe80::1%lo") == "fe80::1%lo");
    CHECK(written("[fe80::1%lo]:80") == "[fe80::1%lo]:80");
    for (const auto* text :
         {"", "[]", ":", ":80", "localhost:", "a:b:80", "[::1]80", "fe80::1%no-such-interface"})
        CHECK_THROWS_WITH_AS((void)net::WrittenHost::parse(text),
                             "expected HOST or HOST:PORT, with an IPv6 address in brackets",
                             std::invalid_argument);
}
