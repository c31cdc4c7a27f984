// The sweep for the applets that ask clocks. One system call after another fails once, with each
// errno that the kernel could return there. Whatever fails, the applet ends in time. It prints a
// row for each host, or one line that says why there is none.
#include "harness/clock_answers.h"
#include "harness/datagram_peer.h"
#include "harness/http_peer.h"
#include "harness/injected_fault.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <algorithm>
#include <array>
#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

constexpr std::array faults{"*=ENOMEM",
                            "*=EMFILE",
                            "*=ENFILE",
                            "*=ENOSPC",
                            "*=EACCES",
                            "*=EAGAIN",
                            "*=EIO",
                            "*=EPERM",
                            "*=ENOBUFS",
                            "*=EAFNOSUPPORT",
                            "recv=ECONNRESET",
                            "send=EPIPE",
                            "connect=ENETUNREACH",
                            "connect=EADDRNOTAVAIL"};

constexpr int max_calls = 300;

// Runs the command with one fault. False when no call was left to fail.
bool fails_somewhere(Scenario& scenario, const Words& words, int rows, const std::string& fault) {
    Result result;
    const auto fired = with_fault(scenario, fault, [&] { result = scenario.run(words); });
    if (fired.empty()) return false;
    CAPTURE(words[0]);
    CAPTURE(fault);
    CAPTURE(fired);
    CAPTURE(result.out);
    CAPTURE(result.err);
    CAPTURE(result.status);
    CHECK((result.status == 0 || result.status == 1));
    CHECK((result.err.empty() || result.err.starts_with(words[0] + ": ")));
    CHECK(std::ranges::count(result.err, '\n') <= 1);
    const bool is_complete = std::ranges::count(result.out, '\n') == rows;
    const bool is_told = result.err.find(": cannot ") != std::string::npos;
    // If the failed call was a write, the report may be lost as well.
    CHECK((is_complete || is_told || (result.status == 1 && fired.starts_with("write"))));
    if (result.status == 0) CHECK((is_complete && !is_told));
    return true;
}

void sweep(const Words& words, int rows) {
    Scenario scenario;
    for (const char* const fault : faults) {
        int number = 1;
        while (number <= max_calls &&
               fails_somewhere(scenario, words, rows, fmt::format("{}@{}", fault, number)))
            ++number;
        CHECK(number <= max_calls);
    }
}

} // namespace

TEST_CASE("no matter what fails over TCP, each host has a row or the reason is reported") {
    const Peer server{[](const Fd& client) { say(client, time_bytes_now()); }};
    const RefusedPort refused;
    sweep({"timecheck", "-t", "25s", server.text(), server.text(),
           fmt::format("localhost:{}", refused.number())},
          4);
}

TEST_CASE("no matter what fails over UDP, each host has a row or the reason is reported") {
    const DatagramPeer server{
        [](const test::Datagram& question) { question.answer(time_bytes_now()); }};
    const RefusedDatagramPort refused;
    sweep({"udptime", "-t", "25s", "-T", "50ms", "-r", "20", server.text(), refused.text(),
           "localhost:" + server.port()},
          4);
}

TEST_CASE("no matter what fails, the sources are asked in turn until one answers") {
    const DatagramPeer ntp{
        [](const test::Datagram& question) { question.answer(ntp_answer(question.bytes)); }};
    const RefusedPort refused;
    const HttpPeer http{[](const HttpRequest&) { return answer("404 Not Found"); }};
    sweep({"timecheck", "-J", "-t", "25s", "-T", "2s", "--via",
           fmt::format("time:{},http:{},ntp:{}", refused.number(), http.port(), ntp.port()),
           "127.0.0.1"},
          1);
}

TEST_CASE("no matter what fails, a list and a watch report it") {
    const Peer server{[](const Fd& client) { say(client, time_bytes_now()); }};
    Scenario scenario;
    scenario.write_file("list", server.text() + "\n");
    sweep({"timecheck", "-t", "25s", "-f", scenario.path("list"), "--watch", "1ms", "--count", "2"},
          4);
}

TEST_CASE("no matter what fails, daytime prints an answer or the reason") {
    const Peer server{[](const Fd& client) { say(client, "Tue Nov 24 02:55:01 2026\r\n"); }};
    sweep({"daytime", "-J", "-t", "25s", server.text()}, 1);
}

// The machine has no IPv6, or no IPv4.
TEST_CASE("without one address family, the other one is enough") {
    Scenario scenario;
    const DatagramPeer udp{
        [](const test::Datagram& question) { question.answer(time_bytes_now()); }};
    const Peer tcp{[](const Fd& client) { say(client, time_bytes_now()); }};
    const Variable which{"IPCBOX_FAULT", "socket=EAFNOSUPPORT%1"};
    auto result = scenario.run({"udptime", "-t", "25s", "localhost:" + udp.port()});
    CHECK(result.status == 0);
    CHECK(rows_of(result.out, 12).at(0).offset() == "0");
    result = scenario.run({"udptime", "-6", "-t", "25s", "localhost:" + udp.port()});
    CHECK(result.status == 1);
    CHECK(rows_of(result.out, 12).at(0).text() ==
          "this machine does not speak its protocol family");
    result =
        scenario.run({"timecheck", "-t", "25s", fmt::format("localhost:{}", tcp.address().port())});
    CHECK(result.status == 0);
    CHECK(rows_of(result.out).at(0).offset() == "0");
}
