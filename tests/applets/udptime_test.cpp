#include "harness/client.h"
#include "harness/clock_answers.h"
#include "harness/datagram_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"
#include "harness/time_limit.h"

#include "core/date.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <list>
#include <nlohmann/json.hpp>
#include <semaphore>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::chrono_literals;

namespace {

constexpr std::size_t name_columns = 12;

net::Address at(const char* ip, std::uint16_t port = 0) {
    return net::Address::parse_ip(ip, port).value();
}

// A server of RFC 868 whose clock is OFFSET ahead of this host's.
DatagramPeer::Work says_time(std::chrono::nanoseconds offset = {}) {
    return [offset](const test::Datagram& question) { question.answer(time_bytes_now(offset)); };
}

DatagramPeer::Work says(const std::string& text) {
    return [text](const test::Datagram& question) { question.answer(text); };
}

void says_nothing(const test::Datagram& /*question*/) {}

struct Told {
    std::vector<Row> rows;
    int status;
    std::string err;
};
Told ask(const Words& words) {
    Scenario scenario;
    Words command{"udptime"};
    command.insert(command.end(), words.begin(), words.end());
    const auto result = scenario.run(command);
    return {rows_of(result.out, name_columns), result.status, result.err};
}

} // namespace

TEST_CASE("the table is the manual page's") {
    Scenario scenario;
    std::atomic<std::time_t> said = 0;
    const DatagramPeer server{at("127.0.0.9"), [&said](const test::Datagram& question) {
                                  CHECK(question.bytes.empty());
                                  if (question.number > 0) return; // asked again on a busy machine
                                  said = std::time(nullptr) + 3600;
                                  question.answer(time_bytes(said));
                              }};
    const auto result = scenario.run({"udptime", "-p", server.port(), "127.0.0.9"});
    CHECK(result.status == 0);
    CHECK(result.err.empty());
    const auto offset = rows_of(result.out, name_columns).at(0).offset();
    CHECK(is_about(offset, 3600));
    CHECK(result.out.starts_with(fmt::format("{:<12} {:>8} ", "localhost", 0)));
    CHECK(result.out.ends_with(
        fmt::format("\n{:<12} {:>8} {}\n", "127.0.0.9", offset, date_text(said))));
}

TEST_CASE("a host that refuses has a row with the reason") {
    const RefusedDatagramPort port;
    const auto told = ask({"-t", "25s", port.text(), port.text()});
    CHECK(told.status == 1);
    REQUIRE(told.rows.size() == 2);
    CHECK(told.rows[0].text() == "refused");
    CHECK(told.rows[1].text() == "refused");
}

TEST_CASE("a host that refuses does not keep others from being heard") {
    const RefusedDatagramPort port;
    const DatagramPeer server{says_time()};
    Words words{"-t", "25s"};
    for (int host = 0; host < 50; ++host) {
        words.push_back(port.text());
        words.push_back(server.text());
    }
    const auto told = ask(words);
    REQUIRE(told.rows.size() == 100);
    for (const auto& row : told.rows)
        CHECK(row.offset() == (row.name == port.text() ? "-" : "0"));
}

TEST_CASE("a datagram that is not an answer is not believed") {
    const std::initializer_list<std::pair<std::string, const char*>> answers{
        {"abc", "short answer (3 bytes)"},
        {"a", "short answer (1 byte)"},
        {"", "empty answer"},
        {"abcde", "trailing bytes (5 instead of 4)"},
        {std::string(60'000, 'x'), "trailing bytes"}};
    std::list<DatagramPeer> servers;
    Words words{servers.emplace_back(says_nothing).text()};
    for (const auto& answer : answers)
        words.push_back(servers.emplace_back(says(answer.first)).text());
    const auto told = with_time_limit(
        [&](const std::string& limit) {
            auto all = words;
            all.insert(all.begin(), {"-t", limit});
            return ask(all);
        },
        [](const Told& all) { return all.rows.back().text() != "timed out"; });
    CHECK(told.status == 1);
    REQUIRE(told.rows.size() == 1 + answers.size());
    CHECK(told.rows[0].text() == "timed out");
    auto row = told.rows.begin() + 1;
    for (const auto& answer : answers) {
        CHECK(row->offset() == "-");
        CHECK((row++)->text() == answer.second);
    }
}

TEST_CASE("a datagram that is lost is sent again") {
    std::atomic<std::size_t> questions = 0;
    const DatagramPeer server{[&questions](const test::Datagram& question) {
        ++questions;
        if (question.number == 2) question.answer(time_bytes_now());
    }};
    auto told = ask({"-t", "25s", "-T", "100ms", "-r", "100", server.text()});
    CHECK(told.status == 0);
    CHECK(told.rows.at(0).offset() == "0");
    CHECK(questions >= 3);
}

TEST_CASE("a question is repeated as often as -r says, and no more") {
    std::atomic<std::size_t> questions = 0;
    const DatagramPeer server{[&questions](const test::Datagram& /*question*/) { ++questions; }};
    CHECK(ask({"-t", "25s", "-T", "10ms", "-r", "4", server.text()}).rows.at(0).text() ==
          "timed out");
    // The last question may still be in the server's buffer.
    CHECK(eventually([&] { return questions == 5; }));
    CHECK(ask({"-t", "25s", "-T", "10ms", "-r", "0", server.text()}).status == 1);
    CHECK(eventually([&] { return questions == 6; }));
}

TEST_CASE("strangers are counted, and not believed") {
    const DatagramPeer from_other_port{[](const test::Datagram& question) {
        question.answer_from(at("127.0.0.1"), time_bytes_now(3600s));
        question.answer(time_bytes_now());
    }};
    const DatagramPeer from_other_address{[](const test::Datagram& question) {
        question.answer_from(at("127.0.0.2", question.asked.port()), time_bytes_now(3600s));
        question.answer(time_bytes_now());
    }};
    for (const auto* const server : {&from_other_port, &from_other_address}) {
        const auto told = ask({"-t", "25s", "-r", "0", server->text()});
        CHECK(told.status == 0);
        CHECK(told.rows.at(0).offset() == "0");
        CHECK(told.err == "udptime: answers that do not count: 1 from strangers\n");
    }
    const DatagramPeer only_strangers{[](const test::Datagram& question) {
        question.answer_from(at("127.0.0.1"), time_bytes_now(3600s));
    }};
    const auto told = with_time_limit(
        [&](const std::string& limit) {
            return ask({"-t", limit, "-r", "0", only_strangers.text()});
        },
        [](const Told& one) { return !one.err.empty(); });
    CHECK(told.rows.at(0).text() == "timed out");
    CHECK(told.err == "udptime: answers that do not count: 1 from strangers\n");
    Scenario scenario;
    CHECK(
        scenario.run({"udptime", "-q", "-t", "1s", "-r", "0", only_strangers.text()}).err.empty());
}

TEST_CASE("a datagram that comes twice, or is malformed, is counted") {
    std::binary_semaphore said{0};
    const DatagramPeer twice{[&said](const test::Datagram& question) {
        question.answer(time_bytes_now());
        question.answer(time_bytes_now(3600s));
        said.release();
    }};
    const DatagramPeer malformed{[](const test::Datagram& question) {
        question.answer("abc");
        question.answer(time_bytes_now());
    }};
    const DatagramPeer last{[&said](const test::Datagram& question) {
        (void)said.try_acquire_for(30s);
        question.answer(time_bytes_now());
    }};
    const auto told = ask({"-t", "25s", "-r", "0", twice.text(), malformed.text(), last.text()});
    CHECK(told.status == 0);
    for (const auto& row : told.rows)
        CHECK(row.offset() == "0");
    CHECK(told.err == "udptime: answers that do not count: 1 more than once, 1 malformed\n");
}

TEST_CASE("an answer of a host that was given up is late") {
    std::optional<test::Datagram> asked;
    std::binary_semaphore is_asked{0};
    const DatagramPeer slow{[&](const test::Datagram& question) {
        asked = question;
        is_asked.release();
    }};
    const Peer other{[&](const Fd& client) {
        (void)is_asked.try_acquire_for(30s);
        asked->answer(time_bytes_now(3600s));
        say(client, time_bytes_now());
    }};
    const auto chain = fmt::format("time-udp:{},time:{}", slow.port(), other.address().port());
    const auto told = ask({"-t", "4s", "-r", "0", "--via", chain, "127.0.0.1"});
    CHECK(told.status == 0);
    CHECK(told.rows.at(0).rest.find(" time ") != std::string::npos);
    CHECK(told.err == "udptime: answers that do not count: 1 late\n");
}

TEST_CASE("thousands of hosts are asked at once") {
    constexpr int count = 2000;
    const DatagramPeer server{at("0.0.0.0"), says_time()};
    // A server that is stopped for a while loses the datagrams that do not fit into its buffer.
    const Words options{"-t", "25s", "-T", "500ms", "-r", "40", "-i", "0", "-p", server.port()};
    auto words = options;
    for (int host = 0; host < count; ++host)
        words.push_back(fmt::format("127.{}.{}.{}", 1 + host % 7, host / 250, 1 + host % 250));
    const auto told = ask(words);
    CHECK(told.status == 0);
    REQUIRE(told.rows.size() == count);
    CHECK(std::ranges::all_of(told.rows, [](const Row& row) { return row.offset() == "0"; }));
    for (std::size_t row = 0; row < count; ++row)
        CHECK(told.rows[row].name == words[options.size() + row]);
}

TEST_CASE("a network is asked, unless it is too large") {
    const DatagramPeer server{at("0.0.0.0"), says_time()};
    const auto told = ask({"-p", server.port(), "-t", "25s", "-g", "127.3.3.0/29"});
    CHECK(told.status == 0);
    REQUIRE(told.rows.size() == 6);
    CHECK(told.rows.front().name == "127.3.3.1");
    CHECK(told.rows.back().name == "127.3.3.6");
    Scenario scenario;
    auto result = scenario.run({"udptime", "-g", "127.0.0.0/8"});
    CHECK(result.status == 2);
    CHECK(result.err.starts_with("udptime: --network '127.0.0.0/8': expected at most 65536 "
                                 "addresses (--max), and "));
    result = scenario.run({"udptime", "--max", "5", "-g", "127.3.3.0/29"});
    CHECK(result.status == 2);
    CHECK(scenario.run({"udptime", "--max", "6", "-t", "1ms", "-g", "127.3.3.0/29"}).status == 1);
}

TEST_CASE("datagrams keep their distance") {
    const DatagramPeer server{says_time()};
    const auto start = Deadline::Clock::now();
    const auto told =
        ask({"-i", "50ms", server.text(), server.text(), server.text(), server.text()});
    CHECK(told.status == 0);
    CHECK(told.rows.size() == 4);
    CHECK(Deadline::Clock::now() - start >= 150ms);
}

TEST_CASE("the time of -t is for all hosts together") {
    const DatagramPeer silent{says_nothing};
    const auto told = with_time_limit(
        [&](const std::string& limit) {
            return ask({"-i", "1h", "-t", limit, silent.text(), silent.text(), silent.text()});
        },
        [](const Told& all) { return all.rows.at(0).text() == "timed out"; });
    CHECK(told.status == 1);
    REQUIRE(told.rows.size() == 3);
    CHECK(told.rows[0].text() == "timed out");
    CHECK(told.rows[1].text() == "not asked in time");
    CHECK(told.rows[2].text() == "not asked in time");
}

TEST_CASE("durations longer than any life are accepted") {
    const RefusedDatagramPort refused;
    for (const char* const age : {"1000d", "50000d", "1000000d"}) {
        const auto told = with_time_limit(
            [&](const std::string& limit) {
                return ask({"-i", age, "-t", limit, refused.text(), refused.text()});
            },
            [](const Told& all) { return all.rows.at(0).text() == "refused"; });
        REQUIRE(told.rows.size() == 2);
        CHECK(told.rows[0].text() == "refused");
        CHECK(told.rows[1].text() == "not asked in time");
        CHECK(ask({"-t", age, "-T", age, refused.text()}).rows.at(0).text() == "refused");
    }
}

TEST_CASE("two names of one address have both their answers") {
    const DatagramPeer server{says_time()};
    const auto told = ask({"-4", "-t", "25s", "-p", server.port(), "localhost", "127.0.0.1",
                           "localhost", "127.0.0.1:" + server.port()});
    CHECK(told.status == 0);
    REQUIRE(told.rows.size() == 4);
    for (const auto& row : told.rows)
        CHECK(row.offset() == "0");
    CHECK(told.err.empty());
}

TEST_CASE("of several addresses, one that answers is enough") {
    const DatagramPeer server{says_time()};
    // On ::1, there is no server, or another clock's. In any case this clock is found.
    const auto told = ask({"-n", "-4", "-t", "25s", "localhost:" + server.port()});
    CHECK(told.status == 0);
    CHECK(told.rows.at(0).name == "127.0.0.1");
    CHECK(ask({"-6", "-t", "25s", "127.0.0.1"}).status == 1);
}

TEST_CASE("an IPv6 host is asked") {
    const DatagramPeer server{at("::1"), says_time(3600s)};
    auto told = ask({"-t", "25s", server.text()});
    CHECK(told.status == 0);
    CHECK(is_about(told.rows.at(0).offset(), 3600));
    told = ask({"-6", "-n", "-t", "25s", "-p", server.port(), "localhost"});
    CHECK(told.status == 0);
    CHECK(told.rows.at(0).name == "::1");
}

TEST_CASE("an object has all measurements") {
    Scenario scenario;
    const DatagramPeer server{says_time(3600s)};
    const auto result = scenario.run({"udptime", "-J", server.text()});
    const auto object = nlohmann::json::parse(result.out);
    CHECK(object["source"] == "time-udp");
    CHECK(object["host"] == server.text());
    CHECK(object["port"] == server.address().port());
    CHECK(std::abs(object["offset"].get<double>() - 3600) <=
          object["uncertainty"].get<double>() + 1e-9);
    CHECK(object["round_trip"] > 0);
    CHECK(object["error"].is_null());
}

TEST_CASE("an interruption prints what is known") {
    Scenario scenario;
    const DatagramPeer server{says_time()};
    const DatagramPeer silent{says_nothing};
    auto process = scenario.start({"udptime", "-t", "1h", server.text(), silent.text()});
    CHECK(process.line().starts_with("localhost "));
    CHECK(process.line().starts_with(server.text()));
    process.kill(SIGINT);
    const auto result = process.wait();
    CHECK(result.status == 128 + SIGINT);
    CHECK(result.out.empty());
}

TEST_CASE("the number of hosts over UDP does not depend on the limit on descriptors") {
    Scenario scenario;
    auto server = scenario.start({"time-server", "--udp", "-p", "0", "--rate", "0"});
    const auto port = fmt::format("{}", ready_address(server).port());
    const auto result = scenario.shell(
        "ulimit -n 20; exec udptime -t 25s -T 500ms -r 40 -p \"$1\" -g 127.8.0.0/22", {port});
    CHECK(result.status == 0);
    CHECK(rows_of(result.out, name_columns).size() == 1022);
}
