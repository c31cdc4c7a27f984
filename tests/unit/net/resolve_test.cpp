#include "net/resolve.h"

#include "net/unreachable.h"

#include <doctest/doctest.h>

using namespace ipcbox;

namespace {

std::vector<std::string> texts(const std::string& host, net::Family family) {
    std::vector<std::string> all;
    for (const auto& address : net::resolve(host, 80, family, Deadline::never()))
        all.push_back(address.text());
    return all;
}

std::string failure(const std::string& host, net::Family family = net::Family::any) {
    try {
        (void)texts(host, family);
    } catch (const net::Unreachable& error) {
        return error.what();
    }
    return {};
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("numeric addresses are themselves") {
    CHECK(texts("192.0.2.1", net::Family::any) == Texts{"192.0.2.1:80"});
    CHECK(texts("2001:db8::1", net::Family::any) == Texts{"[2001:db8::1]:80"});
    CHECK(texts("192.0.2.1", net::Family::ipv4) == Texts{"192.0.2.1:80"});
    CHECK(failure("192.0.2.1", net::Family::ipv6) ==
          "cannot resolve 192.0.2.1: it has no IPv6 address");
}

TEST_CASE("localhost is known, whatever the files say") {
    for (const char* name :
         {"localhost", "LocalHost", "localhost.", "app.localhost", "a.b.LOCALHOST."}) {
        CHECK(texts(name, net::Family::any) == Texts{"[::1]:80", "127.0.0.1:80"});
        CHECK(texts(name, net::Family::ipv4) == Texts{"127.0.0.1:80"});
        CHECK(texts(name, net::Family::ipv6) == Texts{"[::1]:80"});
    }
    for (const char* name : {"mylocalhost", ".localhost", "localhost.test", "localhost..", ""})
        CHECK(net::known_addresses(name, 80, net::Family::any).empty());
}

TEST_CASE("a name that cannot be one fails without a question") {
    // Longer than DNS allows (RFC 1035, section 2.3.4), so no server is asked.
    const std::string name(300, 'x');
    CHECK(failure(name).starts_with("cannot resolve " + name + ": "));
}

TEST_CASE("the deadline holds although a lookup cannot be interrupted") {
    CHECK_THROWS_AS((void)net::resolve("a name with blanks", 80, net::Family::any,
                                       Deadline::after(Duration::zero())),
                    TimedOut);
    CHECK_FALSE(net::reverse_name(*net::Address::parse_ip("127.0.0.1", 0),
                                  Deadline::after(Duration::zero())));
}

TEST_CASE("an address without a name has none") {
    net::Address none;
    CHECK_FALSE(net::reverse_name(none, Deadline::never()));
}
