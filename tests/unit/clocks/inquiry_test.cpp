#include "clocks/inquiry.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::clocks;
using namespace std::chrono_literals;

namespace {

const Host host = parse_host("example.com");

std::vector<net::Address> addresses() {
    return {net::Address::parse_ip("2001:db8::1", 0).value(),
            net::Address::parse_ip("192.0.2.1", 0).value()};
}

SurveyOptions options(std::string_view via) {
    SurveyOptions options;
    options.sources = parse_sources(via);
    options.patience = 12s;
    return options;
}

Answer whole_seconds(Duration error) {
    return {
        .reading = Reading{
            .said = wall_time(1'800'000'000), .error = error, .round_trip = 1ms, .resolution = 1s}};
}

using Next = Inquiry::Next;

} // namespace

TEST_CASE("all addresses are tried by one source before the next one has its turn") {
    const auto wanted = options("time,http:8080");
    Inquiry inquiry{host, wanted, Deadline::never()};
    inquiry.set_addresses(addresses());
    std::string order;
    for (auto next = Next::another_try; next == Next::another_try; next = inquiry.fail("refused"))
        order += inquiry.begin_try().text() + " ";
    CHECK(order == "[2001:db8::1]:37 192.0.2.1:37 [2001:db8::1]:8080 192.0.2.1:8080 ");
    CHECK(inquiry.finding().answer.problem == "time: refused, http: refused"); // each source once
    CHECK(inquiry.finding().source == Source::http);
}

TEST_CASE("the tries that are left share the time that is left") {
    auto wanted = options("time-udp,http");
    wanted.patience = 12h;
    Inquiry inquiry{host, wanted, Deadline::never()};
    inquiry.set_addresses(addresses());
    const auto share = [&inquiry] { return inquiry.end_of_try().remaining().value(); };
    CHECK(share() <= 90min); // for three datagrams to each address, and a connection
    CHECK(share() > 89min);
    (void)inquiry.begin_try();
    CHECK(inquiry.miss_datagram() == Next::another_try);
    CHECK(share() <= 103min);
    CHECK(share() > 102min);
    wanted.try_patience = 1s;
    CHECK(share() <= 1s);
}

TEST_CASE(
    "a datagram is sent again as often as it may be, and then the next address has its turn") {
    auto wanted = options("ntp");
    wanted.retries = 1;
    Inquiry inquiry{host, wanted, Deadline::never()};
    inquiry.set_addresses(addresses());
    CHECK(inquiry.begin_try().text() == "[2001:db8::1]:123");
    CHECK(inquiry.miss_datagram() == Next::another_try);
    CHECK(inquiry.was_tried());
    CHECK(inquiry.begin_try().text() == "[2001:db8::1]:123");
    CHECK(inquiry.miss_datagram() == Next::another_try);
    CHECK_FALSE(inquiry.was_tried());
    CHECK(inquiry.begin_try().text() == "192.0.2.1:123");
    inquiry.note_malformed("short answer (3 bytes)");
    CHECK(inquiry.miss_datagram() == Next::another_try);
    CHECK(inquiry.miss_datagram() == Next::finished);
    CHECK(inquiry.finding().answer.problem == "timed out, short answer (3 bytes)");
}

TEST_CASE("nothing is tried once the time has passed") {
    const auto wanted = options("time,http");
    Inquiry inquiry{host, wanted, Deadline::after(0s)};
    inquiry.set_addresses(addresses());
    (void)inquiry.begin_try();
    CHECK(inquiry.fail("timed out") == Next::finished);
}

TEST_CASE("an answer that was refused keeps its values") {
    const auto wanted = options("ntp");
    Inquiry inquiry{host, wanted, Deadline::never()};
    inquiry.set_addresses({addresses().front()});
    (void)inquiry.begin_try();
    Answer refused{.problem = "its clock is not synchronised"};
    refused.sntp = SntpAnswer{.stratum = 16};
    CHECK(inquiry.take(refused) == Next::finished);
    REQUIRE(inquiry.finding().answer.sntp);
    CHECK(inquiry.finding().answer.sntp->stratum == 16);
    CHECK(inquiry.finding().answer.problem == "its clock is not synchronised");
}

TEST_CASE("a clock of whole seconds is asked until its tick is found") {
    auto wanted = options("time");
    wanted.precise = true;
    Inquiry inquiry{host, wanted, Deadline::never()};
    inquiry.set_addresses(addresses());
    (void)inquiry.begin_try();
    CHECK(inquiry.take(whole_seconds(500ms)) == Next::rest);
    // The earlier answer stays valid after a failure.
    CHECK(inquiry.fail("reset") == Next::finished);
    CHECK(inquiry.finding().answer.reading);
    CHECK(inquiry.take(whole_seconds(2ms)) == Next::finished);
    Inquiry endless{host, wanted, Deadline::never()};
    endless.set_addresses(addresses());
    int questions = 1;
    while (endless.take(whole_seconds(500ms)) == Next::rest)
        ++questions;
    CHECK(questions == 16);
}

TEST_CASE("the port of a host wins over that of a source") {
    const auto with_port = parse_host("example.com:2037");
    const auto wanted = options("time:37,http");
    Inquiry inquiry{with_port, wanted, Deadline::never()};
    inquiry.set_addresses({addresses().back()});
    CHECK(inquiry.begin_try().text() == "192.0.2.1:2037");
}
