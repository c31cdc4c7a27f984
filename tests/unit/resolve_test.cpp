#include "net/resolve.h"

#include "net/unreachable.h"

#include <doctest/doctest.h>

using namespace ipcbox;

namespace {

std::vector<std::string> texts(const std::string& host, Family family) {
    std::vector<std::string> all;
    for (const auto& address : resolve(host, 80, family, Deadline::never()))
        all.push_back(address.text());
    return all;
}

std::string failure(const std::string& host, Family family = Family::any) {
    try {
        (void)texts(host, family);
    } catch (const Unreachable& error) {
        return error.what();
    }
    return {};
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("numeric addresses are themselves") {
    CHECK(texts("192.0.2.1", Family::any) == Texts{"192.0.2.1:80"});
    CHECK(texts("2001:db8::1", Family::any) == Texts{"[2001:db8::1]:80"});
    CHECK(texts("192.0.2.1", Family::ipv4) == Texts{"192.0.2.1:80"});
    CHECK(failure("192.0.2.1", Family::ipv6) == "cannot resolve 192.0.2.1: it has no such address");
}

TEST_CASE("localhost is known, whatever the files say") {
    for (const char* name : {"localhost", "LocalHost"}) {
        CHECK(texts(name, Family::any) == Texts{"[::1]:80", "127.0.0.1:80"});
        CHECK(texts(name, Family::ipv4) == Texts{"127.0.0.1:80"});
        CHECK(texts(name, Family::ipv6) == Texts{"[::1]:80"});
    }
}

TEST_CASE("a name that cannot be one fails without a question") {
    // Longer than DNS allows (RFC 1035, section 2.3.4), so nobody is asked.
    const std::string name(300, 'x');
    CHECK(failure(name).starts_with("cannot resolve " + name + ": "));
}

TEST_CASE("the deadline holds although a lookup cannot be interrupted") {
    CHECK_THROWS_AS(
        (void)resolve("a name with blanks", 80, Family::any, Deadline::after(Duration::zero())),
        TimedOut);
    CHECK_FALSE(
        reverse_name(*Address::parse_ip("127.0.0.1", 0), Deadline::after(Duration::zero())));
}

TEST_CASE("an address without a name has none") {
    Address none;
    CHECK_FALSE(reverse_name(none, Deadline::never()));
}
