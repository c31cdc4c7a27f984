#include "net/address_rate.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace ipcbox;
using namespace std::chrono_literals;

namespace {

net::Address from(const std::string& ip) {
    return net::Address::parse_ip(ip, 4711).value();
}

// How many of COUNT questions at the time NOW get an answer.
int allowed(net::AddressRate& rate, const net::Address& address, Deadline::Clock::time_point now,
            int count) {
    int answers = 0;
    for (int question = 0; question < count; ++question)
        answers += rate.allows(address, now) ? 1 : 0;
    return answers;
}

} // namespace

TEST_CASE("the rate may be used immediately, and then second by second") {
    const auto start = Deadline::Clock::now();
    net::AddressRate rate{10};
    const auto address = from("192.0.2.1");
    CHECK(allowed(rate, address, start, 100) == 10);
    CHECK(allowed(rate, address, start + 99ms, 100) == 0);
    CHECK(allowed(rate, address, start + 100ms, 100) == 1);
    CHECK(allowed(rate, address, start + 500ms, 100) == 4);
    CHECK(allowed(rate, address, start + 1h, 100) == 10);
    // As long as questions come at the rate itself, all are answered.
    for (int second = 2; second < 100; ++second)
        CHECK(allowed(rate, address, start + 1h + second * 1s, 10) == 10);
}

TEST_CASE("each address has its own rate for all ports, and an IPv6 network has one") {
    const auto now = Deadline::Clock::now();
    net::AddressRate rate{1};
    CHECK(rate.allows(from("192.0.2.1"), now));
    auto other_port = from("192.0.2.1");
    other_port.set_port(4712);
    CHECK_FALSE(rate.allows(other_port, now));
    CHECK(rate.allows(from("2001:db8:0:1::1"), now));
    CHECK_FALSE(rate.allows(from("2001:db8:0:1:ffff::2"), now));
    // Two hosts can share a slot, which depends on a secret of each start. But few do.
    int others = 0;
    for (int host = 0; host < 250; ++host)
        others += rate.allows(from(fmt::format("198.51.100.{}", host)), now) ? 1 : 0;
    CHECK(others > 230);
}

TEST_CASE("a flood of senders does not give an address more answers") {
    const auto now = Deadline::Clock::now();
    net::AddressRate rate{3};
    const auto victim = from("192.0.2.1");
    CHECK(allowed(rate, victim, now, 10) == 3);
    for (int network = 0; network < 256; ++network)
        for (int host = 0; host < 256; ++host)
            (void)rate.allows(from(fmt::format("10.0.{}.{}", network, host)), now);
    CHECK_FALSE(rate.allows(victim, now));
}

TEST_CASE("0 means no limit") {
    net::AddressRate rate{0};
    CHECK(allowed(rate, from("192.0.2.1"), Deadline::Clock::now(), 100'000) == 100'000);
}
