#include "clocks/exchanges.h"

#include "core/poll.h"
#include "harness/clock_answers.h"
#include "harness/datagram_peer.h"
#include "harness/peer.h"

#include <doctest/doctest.h>
#include <map>

using namespace ipcbox;
using namespace ipcbox::clocks;

namespace {

SurveyOptions asking(Source source) {
    SurveyOptions options;
    options.sources = {{source, std::nullopt}};
    return options;
}

// Works until there is a result.
std::vector<Exchange> work(Exchanges& exchanges) {
    std::vector<Exchange> results;
    while (results.empty()) {
        auto entries = exchanges.poll_entries();
        if (!exchanges.has_failures())
            REQUIRE(poll_until(entries, Deadline::after(std::chrono::seconds{30})));
        exchanges.work(results);
    }
    return results;
}

} // namespace

TEST_CASE("each question goes over the protocol of its source") {
    const test::Peer stream{
        [](const Fd& client) { test::say(client, test::time_bytes(1'000'000)); }};
    const test::DatagramPeer datagram{
        [](const test::Datagram& question) { question.answer(test::ntp_answer(question.bytes)); }};
    Exchanges exchanges{asking(Source::time)};
    (void)exchanges.connect(1, Source::time, stream.address(), "localhost", Deadline::never());
    exchanges.send(2, Source::ntp, datagram.address());
    exchanges.udp().flush();
    CHECK(exchanges.open_connections() == 1);
    std::map<std::size_t, std::string> answers;
    while (answers.size() < 2)
        for (auto& exchange : work(exchanges))
            if (exchange.outcome == Exchange::Outcome::answered)
                answers[exchange.number] = std::move(exchange.bytes);
    CHECK(answers[1] == test::time_bytes(1'000'000));
    CHECK_FALSE(answers[2].empty());
    CHECK(exchanges.open_connections() == 0);
}

TEST_CASE("a connection that is given up yields the bytes that have come") {
    const test::Peer server{[](const Fd& client) {
        test::say(client, test::time_bytes(1'000'000));
        (void)test::receive_all(client); // until the other side closes
    }};
    Exchanges exchanges{asking(Source::time)};
    const auto connection =
        exchanges.connect(7, Source::time, server.address(), "localhost", Deadline::never());
    const auto results = work(exchanges);
    REQUIRE(results.size() == 1);
    CHECK(results[0].outcome == Exchange::Outcome::paused);
    const auto rest = exchanges.stop(connection);
    CHECK(rest.number == 7);
    CHECK(rest.bytes == test::time_bytes(1'000'000));
    CHECK(exchanges.open_connections() == 0);
}

TEST_CASE("a connection that fails immediately is a result without a wait") {
    const auto broadcast = *net::Address::parse_ip("127.255.255.255", 37);
    Exchanges exchanges{asking(Source::time)};
    (void)exchanges.connect(3, Source::time, broadcast, "localhost", Deadline::never());
    CHECK(exchanges.has_failures());
    const auto results = work(exchanges);
    REQUIRE(results.size() == 1);
    CHECK(results[0].number == 3);
    CHECK(results[0].outcome == Exchange::Outcome::failed);
    CHECK(exchanges.open_connections() == 0);
}

TEST_CASE("at most 64 connections over TLS are open at once, as each needs a process") {
    const Exchanges plain{asking(Source::time)};
    CHECK(plain.make_room(100) == 100);
    const Exchanges with_tls{asking(Source::https)};
    CHECK(with_tls.make_room(100) == 64);
    CHECK(with_tls.make_room(1) == 1);
}
