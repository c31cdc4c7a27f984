#include "harness/datagram_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <chrono>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <semaphore>
#include <sys/socket.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::chrono_literals;

namespace {

constexpr const char* nist = "\n61368 26-11-24 02:55:01 00 0 0 713.5 UTC(NIST) * \n";

Peer::Work says(const std::string& text) {
    return [text](const Fd& client) { say(client, text); };
}

Result ask(const std::string& text, const Words& options = {}) {
    Scenario scenario;
    const Peer server{says(text)};
    Words words{"daytime"};
    words.insert(words.end(), options.begin(), options.end());
    words.push_back(server.text());
    return scenario.run(words);
}

} // namespace

TEST_CASE("daytime prints the answer of the server on one line") {
    for (const char* const end : {"", "\n", "\r\n", "\r\n\r\n"}) {
        const auto result = ask(std::string{"Tue Nov 24 02:55:01 2026"} + end);
        CHECK(result.status == 0);
        CHECK(result.out == "Tue Nov 24 02:55:01 2026\n");
        CHECK(result.err.empty());
    }
    CHECK(ask(nist).out == "61368 26-11-24 02:55:01 00 0 0 713.5 UTC(NIST) *\n");
    // The answer can be any text.
    const auto result = ask("twelve o'clock, and all is well\r\n");
    CHECK(result.status == 0);
    CHECK(result.out == "twelve o'clock, and all is well\n");
}

TEST_CASE("no line of one host looks like that of another") {
    Scenario scenario;
    const Peer one{[](const Fd& client) { say(client, "noon\nother says midnight\n"); }};
    const Peer two{[](const Fd& client) { say(client, "midnight\n"); }};
    CHECK(scenario.run({"daytime", one.text(), two.text()}).out ==
          fmt::format("{0:<24} noon\n{1:<24} other says midnight\n{2:<24} midnight\n", one.text(),
                      "", two.text()));
}

TEST_CASE("several hosts go by their names") {
    Scenario scenario;
    const Peer first{says("one\r\n")};
    const Peer second{says("two\r\n")};
    const RefusedPort port;
    const auto nobody = fmt::format("127.0.0.1:{}", port.number());
    auto result = scenario.run({"daytime", first.text(), second.text()});
    CHECK(result.status == 0);
    CHECK(result.out == fmt::format("{:<24} one\n{:<24} two\n", first.text(), second.text()));
    result = scenario.run({"daytime", first.text(), nobody, second.text()});
    CHECK(result.status == 1);
    CHECK(result.out == fmt::format("{:<24} one\n{:<24} two\n", first.text(), second.text()));
    CHECK(result.err == fmt::format("daytime: {}: refused\n", nobody));
}

TEST_CASE("without a host, localhost is asked") {
    Scenario scenario;
    const Peer server{says("one\r\n")};
    const auto result =
        scenario.run({"daytime", "-4", "-p", fmt::format("{}", server.address().port())});
    CHECK(result.status == 0);
    CHECK(result.out == "one\n");
    CHECK(scenario.run({"daytime", "-4", "-6"}).status == 2);
    CHECK(scenario.run({"daytime", "no host!"}).status == 2);
}

TEST_CASE("-u asks over UDP") {
    Scenario scenario;
    const DatagramPeer server{[](const test::Datagram& question) { question.answer("one\r\n"); }};
    auto result = scenario.run({"daytime", "-u", "-t", "25s", server.text()});
    CHECK(result.status == 0);
    CHECK(result.out == "one\n");
    const RefusedDatagramPort port;
    result = scenario.run({"daytime", "-u", "-t", "25s", port.text()});
    CHECK(result.status == 1);
    CHECK(result.err == fmt::format("daytime: {}: refused\n", port.text()));
    const DatagramPeer silent{[](const test::Datagram& /*question*/) {}};
    result = scenario.run({"daytime", "-u", "-t", "100ms", silent.text()});
    CHECK(result.status == 1);
    CHECK(result.err == fmt::format("daytime: {}: timed out\n", silent.text()));
}

TEST_CASE("an object has the time that was understood") {
    auto result = ask(nist, {"-J"});
    CHECK(result.status == 0);
    const auto object = nlohmann::json::parse(result.out);
    CHECK(object["v"] == 1);
    CHECK(object["host"].get<std::string>().starts_with("127.0.0.1:"));
    CHECK(object["address"] == "127.0.0.1");
    CHECK(object["port"].is_number());
    CHECK(object["text"] == "61368 26-11-24 02:55:01 00 0 0 713.5 UTC(NIST) *");
    CHECK(object["time"] == "2026-11-24T02:55:01Z");
    CHECK(object["offset"].is_number());
    CHECK(object["uncertainty"] >= 0.5);
    CHECK(object["states_zone"] == true);
    CHECK(object["error"].is_null());
    CHECK(nlohmann::json::parse(ask("Tue Nov 24 02:55:01 2026\r\n", {"-J"}).out)["states_zone"] ==
          false);

    result = ask("twelve o'clock\r\n", {"-J"});
    CHECK(result.status == 1);
    const auto strange = nlohmann::json::parse(result.out);
    CHECK(strange["text"] == "twelve o'clock");
    CHECK(strange["error"] == "cannot find a time in what it says");
    CHECK_FALSE(strange.contains("time"));

    result = ask("\xff\x1b[2J\r\n", {"-J"});
    CHECK(result.status == 1);
    CHECK(nlohmann::json::parse(result.out)["text"].is_string());
}

TEST_CASE("a server cannot control the terminal") {
    Scenario scenario;
    const Peer server{says("a\x1b[2Jb\r\n")};
    CHECK(scenario.run({"daytime", server.text()}).out == "a\x1b[2Jb\n");
    const auto on_terminal = [&](const std::string& options) {
        return scenario
            .run({"script", "-qec", fmt::format("daytime {} {}", options, server.text()),
                  "/dev/null"})
            .out;
    };
    CHECK(on_terminal("").find("a^[[2Jb") != std::string::npos);
    CHECK(on_terminal("--raw").find("a\x1b[2Jb") != std::string::npos);
}

TEST_CASE("a server that says nothing or does not end does not hang daytime") {
    Scenario scenario;
    const auto told = [&](const Peer::Work& work, const char* timeout) {
        const Peer server{work};
        auto result = scenario.run({"daytime", "-t", timeout, server.text()});
        const auto start = fmt::format("daytime: {}: ", server.text());
        CHECK(result.status == (result.err.empty() ? 0 : 1));
        if (!result.err.empty()) CHECK(result.err.starts_with(start));
        return result.err.empty() ? result.out : result.err.substr(start.size());
    };
    CHECK(told(says(""), "25s") == "closed without answering\n");
    CHECK(told([](const Fd& client) { reset_when_closed(client); }, "25s") == "reset\n");
    CHECK(told([](const Fd& client) { (void)receive_all(client); }, "100ms") == "timed out\n");
    // A line is an answer, even if the server does not close.
    CHECK(told(
              [](const Fd& client) {
                  say(client, "one\r\n");
                  (void)receive_all(client);
              },
              "25s") == "one\n");
    const std::string flood(65536, 'x');
    CHECK(told(
              [&flood](const Fd& client) {
                  for (;;)
                      say(client, flood); // until the client has gone
              },
              "25s") == std::string(512, 'x') + "\n");
    CHECK(told(says(std::string(100, ' ') + "\r\n"), "25s") != "\n");
}

TEST_CASE("an interruption prints what is known") {
    Scenario scenario;
    std::binary_semaphore taken{0};
    const Peer answering{[&taken](const Fd& client) {
        say(client, "one\r\n");
        ::shutdown(client.get(), SHUT_WR);
        (void)receive_all(client); // returns when the client has the answer
        taken.release();
    }};
    const Peer silent{[](const Fd& client) { (void)receive_all(client); }};
    auto process = scenario.start({"daytime", "-t", "1h", silent.text(), answering.text()});
    CHECK(taken.try_acquire_for(30s));
    process.kill(SIGINT);
    const auto result = process.wait();
    CHECK(result.status == 128 + SIGINT);
    CHECK(result.out == fmt::format("{:<24} one\n", answering.text()));
}
