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

TEST_CASE("a prefix length counts the bits of the address") {
    const auto length = [](std::string_view text) {
        return net::prefix_length(at(text.substr(0, text.find('/'))), text);
    };
    CHECK(length("192.0.2.0/24") == 24U);
    CHECK(length("192.0.2.1") == 32U);
    CHECK(length("2001:db8::/32") == 32U);
    CHECK(length("2001:db8::1") == 128U);
    CHECK(length("::ffff:192.0.2.0/120") == 24U);
    CHECK(length("::ffff:192.0.2.1") == 32U);
    CHECK(length("::ffff:0.0.0.0/96") == 0U);
    for (const auto* text : {"192.0.2.0/33", "2001:db8::/129", "::ffff:0.0.0.0/95",
                             "::ffff:0.0.0.0/129", "192.0.2.0/", "192.0.2.0/x", "192.0.2.0/-1"})
        CHECK_FALSE(length(text));
}
