#include "net/lookups.h"

#include "core/poll.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>

using namespace ipcbox;

namespace {

using Texts = std::vector<std::string>;

Texts hosts_of(const std::vector<net::Address>& addresses) {
    Texts texts;
    for (const auto& address : addresses) {
        CHECK(address.port() == 0);
        texts.push_back(address.host());
    }
    return texts;
}

// Takes COUNT answers, and sorts them by their numbers.
std::vector<net::Lookups::Answer> take(net::Lookups& lookups, std::size_t count) {
    std::vector<net::Lookups::Answer> all;
    while (all.size() < count) {
        REQUIRE(wait_for(lookups.fd(), POLLIN, Deadline::after(std::chrono::seconds{20})));
        for (auto& answer : lookups.take())
            all.push_back(std::move(answer));
    }
    CHECK(lookups.take().empty());
    CHECK_FALSE(wait_for(lookups.fd(), POLLIN, Deadline::after(Duration::zero())));
    std::ranges::sort(all, {}, &net::Lookups::Answer::number);
    return all;
}

// Longer than DNS allows (RFC 1035, section 2.3.4), so no server is asked.
std::string impossible_name() {
    return std::string(300, 'x');
}

} // namespace

TEST_CASE("a host that needs no lookup is known") {
    const net::Lookups any{net::Family::any};
    CHECK(hosts_of(any.known("192.0.2.1")) == Texts{"192.0.2.1"});
    CHECK(hosts_of(any.known("2001:db8::1")) == Texts{"2001:db8::1"});
    CHECK(hosts_of(any.known("LocalHost")) == Texts{"::1", "127.0.0.1"});
    CHECK(any.known("localhost.example").empty());
    CHECK(any.known("").empty());
    const net::Lookups four{net::Family::ipv4};
    CHECK(hosts_of(four.known("localhost")) == Texts{"127.0.0.1"});
    CHECK(four.known("2001:db8::1").empty());
    CHECK(hosts_of(net::Lookups{net::Family::ipv6}.known("localhost")) == Texts{"::1"});
}

TEST_CASE("a lookup comes back with its number") {
    net::Lookups lookups{net::Family::ipv4};
    CHECK(lookups.take().empty());
    lookups.ask(7, "192.0.2.7", Deadline::never());
    lookups.ask(3, "2001:db8::3", Deadline::never());
    lookups.ask(5, impossible_name(), Deadline::never());
    const auto answers = take(lookups, 3);
    CHECK(answers[0].number == 3);
    CHECK(answers[0].addresses.empty());
    CHECK(answers[0].problem == "it has no IPv4 address");
    CHECK(answers[1].number == 5);
    CHECK(answers[1].addresses.empty());
    CHECK_FALSE(answers[1].problem.empty());
    CHECK(answers[2].number == 7);
    CHECK(hosts_of(answers[2].addresses) == Texts{"192.0.2.7"});
    CHECK(answers[2].problem.empty());
}

TEST_CASE("many lookups share a few threads") {
    net::Lookups lookups{net::Family::any};
    const auto threads = [] {
        return std::distance(std::filesystem::directory_iterator{"/proc/self/task"}, {});
    };
    const auto before = threads();
    constexpr std::size_t many = 1000;
    for (std::size_t number = 0; number < many; ++number)
        lookups.ask(number, "192.0.2." + std::to_string(number % 256), Deadline::never());
    CHECK(threads() - before <= 32);
    const auto answers = take(lookups, many);
    for (std::size_t number = 0; number < many; ++number) {
        CHECK(answers[number].number == number);
        CHECK(hosts_of(answers[number].addresses) ==
              Texts{"192.0.2." + std::to_string(number % 256)});
    }
}

TEST_CASE("a name whose time is over is not looked up") {
    net::Lookups lookups{net::Family::any};
    lookups.ask(1, "192.0.2.1", Deadline::after(Duration::zero()));
    const auto answers = take(lookups, 1);
    CHECK(answers[0].number == 1);
    CHECK(answers[0].addresses.empty());
    CHECK(answers[0].problem == "timed out");
}

TEST_CASE("questions that nobody waits for any more delay nobody") {
    net::Lookups lookups{net::Family::any};
    for (std::size_t number = 0; number < 100; ++number)
        lookups.ask(number, impossible_name(), Deadline::never());
}
