// The protocols by which timecheck asks a clock.
#include "harness/clock_reports.h"
#include "harness/datagram_peer.h"
#include "harness/http_peer.h"

#include "core/date.h"

#include <chrono>
#include <ctime>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <utility>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::chrono_literals;

TEST_CASE("sources are asked in turn until one answers") {
    Scenario scenario;
    const RefusedDatagramPort no_udp;
    const RefusedPort no_tcp;
    const HttpPeer no_date{[](const HttpRequest&) -> HttpAnswer { return ok("", ""); }};
    const Peer daytime{[](const Fd& client) { say(client, date_text(time_now()) + "\r\n"); }};
    const auto chain = fmt::format("time-udp:{},time:{},http:{},daytime:{}", no_udp.port(),
                                   no_tcp.number(), no_date.port(), daytime.address().port());
    auto result = scenario.run({"timecheck", "-t", "25s", "--via", chain, "127.0.0.1"});
    CHECK(result.status == 0);
    const auto row = rows_of(result.out).at(0);
    CHECK(row.rest.find(" daytime ") != std::string::npos);
    CHECK(row.rest.ends_with(" (taken for local time)"));

    const HttpPeer silent{[](const HttpRequest&) -> HttpAnswer { return {"", Then::close}; }};
    const auto broken = fmt::format("time:{},http:{}", no_tcp.number(), silent.port());
    result = scenario.run({"timecheck", "--via", broken, "127.0.0.1"});
    CHECK(result.status == 1);
    CHECK(rows_of(result.out).at(0).text() == "time: refused, http: closed without answering");
    const auto objects =
        objects_of(scenario.run({"timecheck", "-J", "--via", broken, "127.0.0.1"}).out);
    CHECK(objects.at(0)["source"] == "http");
    CHECK(objects.at(0)["error"] == "time: refused, http: closed without answering");
}

TEST_CASE("a failure that comes at once does not delay the next source") {
    Scenario scenario;
    // Nobody can connect to a broadcast address.
    const auto start = Deadline::Clock::now();
    const auto result =
        scenario.run({"timecheck", "-t", "1h", "--via", "time,http", "127.255.255.255"});
    CHECK(result.status == 1);
    CHECK(rows_of(result.out).at(0).text() ==
          "time: network unreachable, http: network unreachable");
    CHECK(Deadline::Clock::now() - start < 25s);
    CHECK(
        rows_of(scenario.run({"timecheck", "-T", "0", "--via", "time,http", "127.255.255.255"}).out)
            .size() == 1);
}

TEST_CASE("the Date of an HTTP answer is a clock") {
    Scenario scenario;
    constexpr const char* date = "Date: Tue, 24 Nov 2026 02:55:01 GMT\r\n";
    const auto told = [&](const HttpAnswer& answer) {
        const HttpPeer server{[&answer](const HttpRequest&) { return answer; }};
        const auto objects = objects_of(
            scenario.run({"timecheck", "-J", "--via", "http:" + server.port(), "127.0.0.1"}).out);
        REQUIRE(objects.size() == 1);
        const auto requests = server.requests();
        REQUIRE(requests.size() == 1);
        CHECK(requests[0].method() == "HEAD");
        CHECK(requests[0].field("Host") == server.text());
        const auto& time = objects[0].contains("time") ? objects[0]["time"] : objects[0]["error"];
        return time.get<std::string>();
    };
    CHECK(told(answer("200 OK", date)) == "2026-11-24T02:55:01Z");
    CHECK(told(answer("200 OK", "Date: Tue, 24 Nov 2026 2:55:01 utc\r\n")) ==
          "2026-11-24T02:55:01Z");
    CHECK(told(answer("404 Not Found", date)) == "2026-11-24T02:55:01Z");
    CHECK(told({answer("500 Oops", date), Then::reset}) == "2026-11-24T02:55:01Z");
    CHECK(told(answer("200 OK")) == "its answer has no Date");
    CHECK(told(answer("200 OK", "Date: yesterday\r\n")) == "cannot understand its Date");
    CHECK(told({"220 mail.example ESMTP\r\n", Then::stay}) == "not HTTP");
    CHECK(told({"", Then::close}) == "closed without answering");
    CHECK(
        told({"HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov", Then::close}).starts_with("short answer ("));
}

TEST_CASE("an NTP server is asked, and believed when it may be") {
    Scenario scenario;
    const auto ask = [&](const DatagramPeer& server) {
        auto result = scenario.run(
            {"timecheck", "-t", "25s", "-J", "--via", "ntp:" + server.port(), "127.0.0.1"});
        auto objects = objects_of(result.out);
        REQUIRE(objects.size() == 1);
        return std::pair{objects[0], result.err};
    };
    const auto serve = [](const NtpServer& server) {
        return [server](const test::Datagram& question) {
            question.answer(ntp_answer(question.bytes, server));
        };
    };
    const auto problem = [&](const NtpServer& server) {
        const DatagramPeer peer{serve(server)};
        return ask(peer).first["error"];
    };
    SUBCASE("a good answer is believed") {
        const DatagramPeer server{serve({.offset = -1500ms, .stratum = 2})};
        const auto [object, words] = ask(server);
        CHECK(contains(object, -1.5));
        CHECK(object["uncertainty"] <= object["round_trip"].get<double>() / 2 + 0.001);
        CHECK(object["source"] == "ntp");
        CHECK(object["stratum"] == 2);
        CHECK(object["reference"] == "84.69.83.84");
        CHECK(words.empty());
    }
    SUBCASE("the question reveals nothing about the client") {
        std::string question;
        {
            const DatagramPeer server{[&question](const test::Datagram& datagram) {
                question = datagram.bytes;
                datagram.answer(ntp_answer(datagram.bytes));
            }};
            (void)ask(server);
        }
        REQUIRE(question.size() == 48);
        CHECK(question.substr(0, 40) == '\x23' + std::string(39, '\0'));
        CHECK(question.substr(40) != std::string(8, '\0'));
    }
    SUBCASE("a leap second") {
        const DatagramPeer server{serve({.leap = 1})};
        const auto result =
            scenario.run({"timecheck", "--via", "ntp:" + server.port(), "127.0.0.1"});
        CHECK(result.status == 0);
        CHECK(result.out.ends_with(" (announces a leap second)\n"));
    }
    SUBCASE("a server that refuses or has no time is an error") {
        CHECK(problem({.stratum = 0, .reference = "RATE"}) == "kiss of death (RATE)");
        CHECK(problem({.leap = 3}) == "its clock is not synchronised");
        CHECK(problem({.stratum = 16}) == "its clock is not synchronised");
    }
    SUBCASE("an answer to another question is not believed") {
        const DatagramPeer server{[](const test::Datagram& question) {
            auto forged = ntp_answer(question.bytes, {.offset = 100s});
            forged[24] = static_cast<char>(forged[24] + 1);
            question.answer(forged);
            question.answer(ntp_answer(question.bytes, {.offset = 5s}));
        }};
        const auto [object, words] = ask(server);
        CHECK(contains(object, 5));
        CHECK(words == "timecheck: answers that do not count: 1 from strangers\n");
    }
}

TEST_CASE("a daytime in words is a clock") {
    Scenario scenario;
    const auto ask_server = [&](const Peer::Work& work) {
        const Peer server{work};
        const auto source = fmt::format("daytime:{}", server.address().port());
        auto objects =
            objects_of(scenario.run({"timecheck", "-J", "--via", source, "127.0.0.1"}).out);
        REQUIRE(objects.size() == 1);
        return objects[0];
    };
    const auto ask = [&](const std::string& text) {
        return ask_server([&text](const Fd& client) { say(client, text); });
    };
    CHECK(ask("60639 24-11-24 02:55:01 00 0 0 713.5 UTC(NIST) *\r\n")["error"] ==
          "cannot find a time in what it says"); // its two days differ
    CHECK(ask("61368 26-11-24 02:55:01 00 0 0 713.5 UTC(NIST) *\r\n")["time"] ==
          "2026-11-24T02:55:01Z");
    const auto is_an_hour_ahead = [](const Fd& client) {
        say(client, date_text(time_now() + 3600) + "\r\n");
    };
    CHECK(contains(ask_server(is_an_hour_ahead), 3600));
    CHECK(ask("it is late\r\n")["error"] == "cannot find a time in what it says");
}

TEST_CASE("--port is for sources that have none of their own") {
    Scenario scenario;
    const Peer server{says_time()};
    const RefusedPort refused;
    const auto other = fmt::format("{}", refused.number());
    const auto via = fmt::format("time:{}", server.address().port());
    CHECK(scenario.run({"timecheck", "--via", via, "-p", other, "127.0.0.1"}).status == 0);
    CHECK(scenario.run({"timecheck", "--via", "time", "-p", other, "127.0.0.1"}).status == 1);
}

TEST_CASE("a tick tells more than a second") {
    Scenario scenario;
    constexpr auto offset = 370ms; // one answer alone does not show it
    const Peer server{says_time(offset)};
    // On a busy machine, round trips take long, so answers are less exact. Try several times.
    double uncertainty = 1;
    for (int attempt = 0; attempt < 5 && uncertainty >= 0.05; ++attempt) {
        const auto objects =
            objects_of(scenario.run({"timecheck", "-J", "--precise", server.text()}).out);
        REQUIRE(objects.size() == 1);
        CHECK(contains(objects[0], 0.37));
        uncertainty = objects[0]["uncertainty"].get<double>();
    }
    CHECK(uncertainty < 0.05);
}
