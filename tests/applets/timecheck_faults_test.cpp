// The loop of timecheck and udptime when something is short, endless, equal, or wrong on purpose.
#include "harness/clock_answers.h"
#include "harness/datagram_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"
#include "harness/time_limit.h"

#include <atomic>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <semaphore>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::chrono_literals;

namespace {

void be_silent(const Fd& client) {
    (void)receive_all(client);
}

void say_time(const Fd& client) {
    say(client, time_bytes_now());
}

} // namespace

TEST_CASE("a host whose time has passed in the queue delays no other") {
    Scenario scenario;
    const DatagramPeer silent{*net::Address::parse_ip("0.0.0.0", 0), [](const test::Datagram&) {}};
    const auto result = scenario.run(
        {"udptime", "-t", "300ms", "-i", "1h", "-p", silent.port(), "-g", "127.8.0.0/24"});
    CHECK(result.status == 1);
    const auto rows = rows_of(result.out, 12);
    CHECK(rows.size() == 254);
}

TEST_CASE("an interval can be of any length") {
    Scenario scenario;
    const DatagramPeer server{
        [](const test::Datagram& question) { question.answer(time_bytes_now()); }};
    for (const auto* const interval : {"2000d", "99999999d"}) {
        const auto rows = with_time_limit(
            [&](const std::string& limit) {
                return rows_of(
                    scenario
                        .run({"udptime", "-t", limit, "-i", interval, server.text(), server.text()})
                        .out,
                    12);
            },
            [](const auto& all) { return all.at(0).text() != "timed out"; });
        REQUIRE(rows.size() == 2);
        CHECK(is_about(rows[0].offset(), 0));
        CHECK(rows[1].text() == "not asked in time");
    }
}

TEST_CASE("a tick is looked for, however long the time limit is") {
    Scenario scenario;
    std::atomic<int> questions = 0;
    const Peer server{[&questions](const Fd& client) {
        if (++questions <= 2) say_time(client);
    }};
    const auto result = scenario.run({"timecheck", "--precise", "-t", "99999999d", server.text()});
    CHECK(result.status == 0);
    CHECK(questions == 3);
}

TEST_CASE("a server of NTP is not asked for a tick that it does not have") {
    Scenario scenario;
    std::atomic<int> questions = 0;
    const DatagramPeer server{[&questions](const test::Datagram& question) {
        ++questions;
        auto answer = ntp_answer(question.bytes);
        answer[9] = 1; // a root dispersion of 1/256 s, which is part of the error
        question.answer(answer);
    }};
    const auto result = scenario.run({"timecheck", "--precise", "--via", "ntp", server.text()});
    CHECK(result.status == 0);
    CHECK(questions == 1);
}

TEST_CASE("a socket that becomes free is used immediately") {
    Scenario scenario;
    const Peer silent{be_silent};
    const Peer server{say_time};
    // Only four descriptors are left, and the loop needs three of them.
    const auto* const script = "for n in {3..25}; do eval \"exec $n</dev/null\"; done\n"
                               "ulimit -n 30\n"
                               "exec timecheck -t 1h \"$@\"\n";
    const auto rows = with_time_limit(
        [&](const std::string& limit) {
            return rows_of(
                scenario
                    .run({"bash", "-c", script, "bash", "-T", limit, silent.text(), server.text()})
                    .out);
        },
        [](const auto& both) { return both.at(1).offset() != "-"; });
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].text() == "timed out");
    CHECK(is_about(rows[1].offset(), 0));
}

TEST_CASE("a summary counts hosts") {
    Scenario scenario;
    const Peer right{say_time};
    const Peer wrong{[](const Fd& client) { say(client, time_bytes_now(3600s)); }};
    const Peer never_set{[](const Fd& client) { say(client, std::string(4, '\0')); }};
    // A line about the disagreement does not count as a host.
    auto result =
        scenario.run({"timecheck", "--consensus", "--summary", right.text(), wrong.text()});
    CHECK(result.status == 1);
    CHECK(result.out.find("\nsummary: 2 answered, 0 failed;") != std::string::npos);
    result = scenario.run({"timecheck", "--summary", right.text(), never_set.text()});
    CHECK(result.status == 1);
    CHECK(result.out.find("\nsummary: 2 answered, 0 failed;") != std::string::npos);
}

TEST_CASE("without a majority nobody is called a falseticker") {
    Scenario scenario;
    const Peer right{say_time};
    const Peer wrong{[](const Fd& client) { say(client, time_bytes_now(3600s)); }};
    const auto result = scenario.run({"timecheck", "--consensus", right.text(), wrong.text()});
    CHECK(result.status == 1);
    CHECK(result.out.find("falseticker") == std::string::npos);
    CHECK(result.out.find("\ndisagrees: ") != std::string::npos);
}

TEST_CASE("a check that is interrupted does not say that all is well") {
    Scenario scenario;
    std::binary_semaphore asked{0};
    const Peer silent{[&asked](const Fd& client) {
        asked.release();
        be_silent(client);
    }};
    auto process = scenario.start({"timecheck", "--warn", "1s", "-t", "1h", silent.text()});
    asked.acquire();
    process.kill(SIGTERM);
    const auto result = process.wait();
    CHECK(result.status == 128 + SIGTERM);
    CHECK(result.out == "TIMECHECK CRITICAL - 1 of 1: 1 interrupted | hosts=1 not_ok=1\n");
}

TEST_CASE("a server writes no performance data") {
    Scenario scenario;
    const DatagramPeer server{[](const test::Datagram& question) {
        question.answer(ntp_answer(question.bytes, {.stratum = 0, .reference = "|x=9"}));
    }};
    const auto result = scenario.run({"timecheck", "--via", "ntp", "--warn", "1s", server.text()});
    CHECK(result.status == 2);
    CHECK(result.out == fmt::format("TIMECHECK CRITICAL - 1 of 1: {} kiss of death (/x=9) | "
                                    "hosts=1 not_ok=1\n",
                                    server.text()));
}
