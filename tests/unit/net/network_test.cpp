#include "net/network.h"

#include <doctest/doctest.h>
#include <string>
#include <string_view>

using namespace ipcbox;
using namespace std::string_view_literals;

namespace {

net::Address at(std::string_view ip) {
    return net::Address::parse_ip(ip, 1234).value();
}

} // namespace

TEST_CASE("the clients of one network have one key") {
    CHECK(net::network_key(at("192.0.2.1")) != net::network_key(at("192.0.2.2")));
    CHECK(net::network_key(at("192.0.2.1"), 24) == net::network_key(at("192.0.2.2"), 24));
    CHECK(net::network_key(at("192.0.2.1"), 24) == std::string_view{"\xc0\0\2\0", 4});
    CHECK(net::network_key(at("192.0.2.1"), 0) == std::string(4, '\0'));
    CHECK(net::network_key(at("192.0.2.255"), 25) == std::string_view{"\xc0\0\2\x80", 4});
    CHECK(net::network_key(at("2001:db8::1")) == net::network_key(at("2001:db8::2:0:0:1")));
    CHECK(net::network_key(at("2001:db8::1")) != net::network_key(at("2001:db8:0:1::1")));
    CHECK(net::network_key(at("2001:db8::1"), 32, 128) !=
          net::network_key(at("2001:db8::2"), 32, 128));
    CHECK(net::network_key(at("0.0.0.0"), 0) != net::network_key(at("::"), 0, 0));
    CHECK(net::network_key(net::Address::unix_path("/socket")).empty());
}
