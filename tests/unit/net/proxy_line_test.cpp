#include "net/proxy_line.h"

#include <doctest/doctest.h>

using namespace ipcbox;

namespace {

net::Address at(std::string_view ip, std::uint16_t port) {
    return *net::Address::parse_ip(ip, port);
}

} // namespace

TEST_CASE("a PROXY line names both ends") {
    CHECK(net::proxy_line(at("192.0.2.1", 4321), at("192.0.2.2", 80)) ==
          "PROXY TCP4 192.0.2.1 192.0.2.2 4321 80\r\n");
    CHECK(net::proxy_line(at("2001:db8::1", 4321), at("2001:db8::2", 80)) ==
          "PROXY TCP6 2001:db8::1 2001:db8::2 4321 80\r\n");
}

TEST_CASE("both addresses of a PROXY line are of one family, without zones") {
    CHECK(net::proxy_line(at("192.0.2.1", 1), at("2001:db8::2", 2)) ==
          "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::2 1 2\r\n");
    CHECK(net::proxy_line(at("2001:db8::2", 2), at("192.0.2.1", 1)) ==
          "PROXY TCP6 2001:db8::2 ::ffff:192.0.2.1 2 1\r\n");
    CHECK(net::proxy_line(at("fe80::1%lo", 1), at("fe80::2%7", 2)) ==
          "PROXY TCP6 fe80::1 fe80::2 1 2\r\n");
}

TEST_CASE("a PROXY line without IP addresses says UNKNOWN") {
    const auto unix_socket = net::Address::unix_path("/socket");
    CHECK(net::proxy_line(unix_socket, unix_socket) == "PROXY UNKNOWN\r\n");
    CHECK(net::proxy_line({}, at("192.0.2.1", 1)) == "PROXY UNKNOWN\r\n");
}
