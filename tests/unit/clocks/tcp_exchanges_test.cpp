#include "clocks/tcp_exchanges.h"

#include "core/poll.h"
#include "harness/clock_answers.h"
#include "harness/peer.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::clocks;

namespace {

// Works until there is a result.
std::vector<Exchange> work(TcpExchanges& exchanges) {
    std::vector<Exchange> results;
    while (results.empty()) {
        if (!exchanges.has_failures())
            REQUIRE(wait_for(exchanges.fd(), POLLIN, Deadline::after(std::chrono::seconds{30})));
        exchanges.work(results);
    }
    return results;
}

} // namespace

TEST_CASE("a question gets its answer") {
    const test::Peer server{
        [](const Fd& client) { test::say(client, test::time_bytes(1'000'000)); }};
    TcpExchanges exchanges;
    (void)exchanges.start(7, Source::time, server.address(), "");
    CHECK(exchanges.size() == 1);
    auto results = work(exchanges);
    if (results[0].outcome == Exchange::Outcome::paused) results = work(exchanges);
    CHECK(results[0].outcome == Exchange::Outcome::answered);
    CHECK(results[0].number == 7);
    CHECK(results[0].bytes == test::time_bytes(1'000'000));
    CHECK(results[0].timing.round_trip > Duration::zero());
    CHECK(exchanges.size() == 0);
}

TEST_CASE("an exchange that fails at once has a slot of its own") {
    const test::Peer silent{[](const Fd& client) { (void)test::receive_all(client); }};
    const auto broadcast = *net::Address::parse_ip("127.255.255.255", 37); // a broadcast address
    TcpExchanges exchanges;
    const auto first = exchanges.start(1, Source::time, broadcast, "");
    CHECK(exchanges.has_failures());
    const auto second = exchanges.start(2, Source::time, silent.address(), "");
    const auto third = exchanges.start(3, Source::time, broadcast, "");
    CHECK(exchanges.size() == 3);
    CHECK(exchanges.stop(first).number == 1);
    const auto results = work(exchanges);
    REQUIRE(results.size() == 1);
    CHECK(results[0].number == 3);
    CHECK(results[0].outcome == Exchange::Outcome::failed);
    CHECK(results[0].error == ENETUNREACH);
    CHECK_FALSE(exchanges.has_failures());
    CHECK(third != second);
    CHECK(exchanges.stop(second).number == 2);
    CHECK(exchanges.size() == 0);
}
