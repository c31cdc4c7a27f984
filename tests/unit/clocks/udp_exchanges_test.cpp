#include "clocks/udp_exchanges.h"

#include "core/poll.h"
#include "harness/clock_answers.h"
#include "harness/datagram_peer.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::clocks;

namespace {

// Works until there is a result, or something was ignored.
std::vector<Exchange> work(UdpExchanges& exchanges) {
    std::vector<Exchange> results;
    const auto ignored = [&exchanges] {
        const auto& counts = exchanges.ignored();
        return counts.strangers + counts.duplicates + counts.late;
    };
    for (const auto before = ignored(); results.empty() && ignored() == before;) {
        auto entries = exchanges.poll_entries();
        REQUIRE(poll_until(entries, Deadline::after(std::chrono::seconds{30})));
        exchanges.flush();
        exchanges.work(results);
    }
    return results;
}

} // namespace

TEST_CASE("two questions to one address get their answers, and other datagrams are strangers") {
    const test::DatagramPeer server{[](const test::Datagram& question) {
        if (question.number == 0) return;
        for (const char* const answer : {"1st.", "2nd.", "3rd."})
            question.answer(answer);
    }};
    UdpExchanges exchanges;
    exchanges.ask(1, Source::time_udp, server.address(), 0);
    exchanges.ask(2, Source::time_udp, server.address(), 0);
    CHECK(exchanges.has_unsent());
    exchanges.flush();
    std::vector<Exchange> results;
    while (exchanges.ignored().duplicates == 0)
        for (auto& exchange : work(exchanges))
            results.push_back(std::move(exchange));
    REQUIRE(results.size() == 2);
    CHECK(results[0].number == 1);
    CHECK(results[0].bytes == "1st.");
    CHECK(results[1].number == 2);
    CHECK(results[1].bytes == "2nd.");
    CHECK(exchanges.ignored().duplicates == 1);
}

TEST_CASE("answers of NTP find their question, in whatever order they come") {
    constexpr std::uint64_t first = 0x0102030405060708;
    constexpr std::uint64_t second = 0x1112131415161718;
    std::string held;
    const test::DatagramPeer server{[&held](const test::Datagram& question) {
        if (question.number == 0) {
            held = test::ntp_answer(question.bytes);
            return;
        }
        question.answer(test::ntp_answer(question.bytes));
        question.answer(held);
        question.answer(held);
    }};
    UdpExchanges exchanges;
    exchanges.ask(1, Source::ntp, server.address(), first);
    exchanges.ask(2, Source::ntp, server.address(), second);
    exchanges.flush();
    std::vector<std::size_t> numbers;
    const auto& ignored = exchanges.ignored();
    while (ignored.duplicates + ignored.strangers == 0)
        for (const auto& exchange : work(exchanges))
            numbers.push_back(exchange.number);
    CHECK(numbers == std::vector<std::size_t>{2, 1});
}

TEST_CASE("no more questions are sent than there is room for answers") {
    const test::DatagramPeer silent{[](const test::Datagram& /*question*/) {}};
    UdpExchanges exchanges;
    const auto all = exchanges.room();
    CHECK(all > 0);
    CHECK(exchanges.next_room().is_never());
    for (std::size_t number = 0; number < all; ++number)
        exchanges.ask(number, Source::time_udp, silent.address(), 0);
    CHECK(exchanges.room() == 0);
    exchanges.flush();
    CHECK_FALSE(exchanges.has_unsent());
    // This host may never answer, so its room becomes free after a moment.
    CHECK_FALSE(exchanges.next_room().is_never());
    std::array<pollfd, 0> nothing;
    (void)poll_until(nothing, exchanges.next_room());
    CHECK(exchanges.room() == all);
}

TEST_CASE("a refusal is reported, whichever question it answers") {
    const test::RefusedDatagramPort port;
    UdpExchanges exchanges;
    const auto address = *net::Address::parse_ip("127.0.0.1", port.number());
    exchanges.ask(1, Source::time_udp, address, 0);
    exchanges.flush();
    const auto results = work(exchanges);
    REQUIRE(results.size() == 1);
    CHECK(results[0].number == 1);
    CHECK(results[0].outcome == Exchange::Outcome::failed);
    CHECK(results[0].error == ECONNREFUSED);
}
