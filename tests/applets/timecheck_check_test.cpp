// timecheck as a check for a monitoring system, and the clocks that agree.
#include "harness/clock_reports.h"
#include "harness/datagram_peer.h"

#include <chrono>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <initializer_list>
#include <semaphore>
#include <sys/socket.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::chrono_literals;

TEST_CASE("a check has the status and the line that monitoring expects") {
    Scenario scenario;
    const Peer right{says_time()};
    const Peer slow{says_time(-5min)};
    const Peer wrong{says_time(3600s)};
    const auto check = [&](const Words& words) {
        Words all{"--warn", "1m", "--crit", "30m"};
        all.insert(all.end(), words.begin(), words.end());
        return scenario.run(timecheck(all));
    };
    auto result = check({right.text()});
    CHECK(result.status == 0);
    CHECK(result.out.starts_with(
        fmt::format("TIMECHECK OK - 1 host in time | hosts=1 not_ok=0 '{}'=", right.text())));
    CHECK(result.out.ends_with("s;60;1800\n"));
    CHECK(lines_of(result.out).size() == 1);
    result = check({slow.text(), right.text()});
    CHECK(result.status == 1);
    CHECK(result.out.starts_with(fmt::format("TIMECHECK WARNING - 1 of 2: {} -", slow.text())));
    CHECK(lines_of(result.out).size() == 1);
    result = check({right.text(), wrong.text(), slow.text()});
    CHECK(result.status == 2);
    CHECK(result.out.starts_with(fmt::format("TIMECHECK CRITICAL - 2 of 3: {} +3", wrong.text())));
    const RefusedPort port;
    const auto nobody = with_port("127.0.0.1", port.number());
    result = check({nobody});
    CHECK(result.status == 2);
    CHECK(result.out ==
          fmt::format("TIMECHECK CRITICAL - 1 of 1: {} refused | hosts=1 not_ok=1\n", nobody));
    result = scenario.run({"timecheck", "--warn", "1s", wrong.text()});
    CHECK(result.status == 1);
    CHECK(result.out.starts_with("TIMECHECK WARNING - "));
    result = check({"-v", right.text(), slow.text()});
    const auto lines = lines_of(result.out);
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].starts_with("TIMECHECK WARNING - "));
    CHECK(lines[1].starts_with(right.text()));
    CHECK(lines[2].starts_with(slow.text()));
    const auto objects = objects_of(check({"-J", right.text(), wrong.text()}).out);
    REQUIRE(objects.size() == 3);
    CHECK(objects[0]["state"] == "OK");
    CHECK(objects[1]["state"] == "CRITICAL");
    CHECK(objects[2]["type"] == "state");
    CHECK(objects[2]["state"] == "CRITICAL");
    CHECK(objects[2]["hosts"] == 2);
    CHECK(objects[2]["not_ok"] == 1);
}

TEST_CASE("a consensus tells which clocks agree") {
    Scenario scenario;
    const Peer one{says_time()};
    const Peer two{says_time()};
    const Peer wrong{says_time(3600s)};
    auto result = scenario.run({"timecheck", "--consensus", one.text(), wrong.text(), two.text()});
    CHECK(result.status == 0);
    auto lines = lines_of(result.out);
    REQUIRE(lines.size() == 6);
    CHECK(lines[4].starts_with("consensus: yes, 2 of 3 agree on "));
    CHECK(lines[5] == "falseticker: " + wrong.text());
    const auto objects = objects_of(
        scenario.run({"timecheck", "-J", "--consensus", one.text(), wrong.text(), two.text()}).out);
    REQUIRE(objects.size() == 4);
    CHECK(objects[3]["type"] == "consensus");
    CHECK(objects[3]["members"] == 2);
    CHECK(objects[3]["of"] == 3);
    CHECK(objects[3]["majority"] == true);
    CHECK(contains(objects[3], 0));
    CHECK(objects[3]["falsetickers"] == nlohmann::json::array({wrong.text()}));
    result = scenario.run({"timecheck", "--consensus", one.text(), wrong.text()});
    CHECK(result.status == 1);
    CHECK(lines_of(result.out).at(3).starts_with("consensus: no, only 1 of 2 agree on "));
}

TEST_CASE(
    "disagreement is not a failure of a host, and the hosts that disagree stand in their order") {
    Scenario scenario;
    std::binary_semaphore first_may_answer{0};
    const Peer first{[&](const Fd& client) {
        (void)first_may_answer.try_acquire_for(30s);
        say(client, time_bytes_now(3600s));
    }};
    const Peer second{[&](const Fd& client) {
        say(client, time_bytes_now(7200s));
        ::shutdown(client.get(), SHUT_WR);
        (void)receive_all(client); // returns when the client has the answer
        first_may_answer.release();
    }};
    const Peer one{says_time()};
    const Peer two{says_time()};
    const Words hosts{first.text(), second.text(), one.text(), two.text()};
    auto words = hosts;
    words.insert(words.begin(), {"-t", "25s", "--consensus", "--summary"});
    const auto result = scenario.run(timecheck(words));
    CHECK(result.status == 1);
    const auto lines = lines_of(result.out);
    REQUIRE(lines.size() == 9);
    CHECK(lines[5].starts_with("consensus: no, only 2 of 4 agree on "));
    CHECK(lines[6] == "disagrees: " + first.text());
    CHECK(lines[7] == "disagrees: " + second.text());
    CHECK(lines[8].starts_with("summary: 4 answered, 0 failed; "));
}

TEST_CASE("a check warns about an answer whose error is larger than the limit") {
    Scenario scenario;
    const Peer server{says_time()};
    const auto result =
        scenario.run({"timecheck", "--warn", "100ms", "--crit", "1h", server.text()});
    CHECK(result.status == 1);
    CHECK(result.out.starts_with("TIMECHECK WARNING - 1 of 1: " + server.text()));
    const auto error = result.out.find(" +/-");
    REQUIRE(error != std::string::npos);
    // Half a second, because the protocol counts whole ones, and half of the round trip.
    CHECK(std::stod(result.out.substr(error + 4)) >= 0.5);
}

TEST_CASE("performance data has a host that is given twice once") {
    Scenario scenario;
    const Peer peer{says_time()};
    const auto result = scenario.run({"timecheck", "--warn", "1m", peer.text(), peer.text()});
    CHECK(result.out.starts_with("TIMECHECK OK - 2 hosts in time | hosts=2 not_ok=0 "));
    const auto label = "'" + peer.text() + "'=";
    const auto first = result.out.find(label);
    CHECK(first != std::string::npos);
    CHECK(result.out.find(label, first + 1) == std::string::npos);
}

TEST_CASE("a check warns when no majority agrees") {
    Scenario scenario;
    const Peer one{says_time()};
    const Peer other{says_time(30s)};
    const auto result =
        scenario.run({"timecheck", "--warn", "1m", "--consensus", one.text(), other.text()});
    CHECK(result.status == 1);
    CHECK(result.out.starts_with("TIMECHECK WARNING - 2 hosts in time, but no majority agrees | "));
}

TEST_CASE("a check that cannot be made is UNKNOWN, in one line and with status 3") {
    Scenario scenario;
    struct Case {
        Words words;
        std::string_view reason;
    };
    for (const auto& [words, reason] : std::initializer_list<Case>{
             {{"--warn", "1s", "-f", "absent"}, "cannot open absent: No such file or directory"},
             {{"--warn", "1s", "-f", "-"}, "there is no host in the list"},
             {{"--warn", "1s"}, "expected a HOST, or a list of them (--file)"},
             {{"--crit", "soon", "a"}, "--crit 'soon': expected "},
             {{"--crit=soon", "a"}, "--crit 'soon': expected "},
             {{"--warn", "1s", "--sundial", "a"}, "unknown option --sundial"},
             {{"--warn", "1s", "no\nhost|"}, "HOST 'no host/': expected "},
             {{"--warn", "5s", "--crit", "1s", "a"}, "--warn is more than --crit"},
             {{"--stratum-warn", "3", "a"}, "--stratum-warn and --stratum-crit need"},
             {{"a", "--crit"}, "option --crit needs a value"}}) {
        auto result = scenario.run(timecheck(words));
        const std::string expected{reason};
        CAPTURE(expected);
        CHECK(result.status == 3);
        CHECK(result.out.starts_with(fmt::format("TIMECHECK UNKNOWN - {}", reason)));
        CHECK(lines_of(result.out).size() == 1);
        CHECK(result.err.starts_with("timecheck: "));
        auto json = words;
        json.insert(json.begin(), "-qJ");
        result = scenario.run(timecheck(json));
        CHECK(result.status == 3);
        const auto objects = objects_of(result.out);
        REQUIRE(objects.size() == 1);
        CHECK(objects[0]["type"] == "state");
        CHECK(objects[0]["state"] == "UNKNOWN");
        CHECK(objects[0]["hosts"].is_null());
    }
    CHECK(scenario.run({"timecheck", "--warn", "1s", "--help"}).status == 0);
    CHECK(scenario.run({"timecheck", "--", "--warn"}).status == 1); // "--warn" is a host here
    CHECK(scenario.run({"udptime", "--warn", "1s"}).out.starts_with("UDPTIME UNKNOWN - "));
    const Peer server{says_time()};
    const auto lost = scenario.shell("timecheck --warn 10s \"$1\" > /dev/full", {server.text()});
    CHECK(lost.status == 3);
}

TEST_CASE("a bad line of a list makes a check UNKNOWN, unless a host is worse") {
    Scenario scenario;
    const Peer right{says_time()};
    const Peer wrong{says_time(3600s)};
    const Words limits{"--warn", "10s", "--crit", "20s", "-f", "-"};
    const auto list = right.text() + "\nno host!\n\nnor this\n";
    auto result = scenario.run(timecheck(limits), list);
    CHECK(result.status == 3);
    CHECK(result.out.starts_with("TIMECHECK UNKNOWN - 1 host in time, but 2 lines are no host "
                                 "(standard input, line 2) | hosts=1 not_ok=0 bad_lines=2 "));
    CHECK(lines_of(result.out).size() == 1);
    auto json = limits;
    json.insert(json.begin(), "-J");
    result = scenario.run(timecheck(json), list);
    CHECK(result.status == 3);
    const auto last = objects_of(result.out).back();
    CHECK(last["state"] == "UNKNOWN");
    CHECK(last["text"] == "1 host in time, but 2 lines are no host (standard input, line 2)");
    result = scenario.run(timecheck(limits), list + wrong.text());
    CHECK(result.status == 2);
    CHECK(result.out.starts_with("TIMECHECK CRITICAL - 1 of 2: " + wrong.text()));
}

TEST_CASE("a check tells why a source of whole seconds cannot pass a small limit") {
    Scenario scenario;
    const Peer server{says_time()};
    const auto result =
        scenario.run({"timecheck", "--warn", "100ms", "--crit", "1h", server.text()});
    CHECK(result.status == 1);
    CHECK(result.out.starts_with(fmt::format("TIMECHECK WARNING - 1 of 1: {} is not known to 0.1 s "
                                             "(use --via ntp or --precise): ",
                                             server.text())));
}

TEST_CASE("a check has limits for the stratum of an NTP server") {
    Scenario scenario;
    const DatagramPeer server{[](const test::Datagram& question) {
        question.answer(ntp_answer(question.bytes, {.stratum = 4, .reference = "\1\2\3\4"}));
    }};
    const auto via = "ntp:" + server.port();
    const auto check = [&](const Words& limits) {
        Words words{"-t", "25s", "--via", via, "127.0.0.1"};
        words.insert(words.end(), limits.begin(), limits.end());
        return scenario.run(timecheck(words));
    };
    CHECK(check({"--stratum-warn", "4"}).status == 0);
    auto result = check({"--stratum-warn", "3", "--stratum-crit", "4"});
    CHECK(result.status == 1);
    CHECK(result.out.starts_with("TIMECHECK WARNING - 1 of 1: 127.0.0.1 is at stratum 4 | "));
    CHECK(result.out.ends_with(" '127.0.0.1 stratum'=4;3;4\n"));
    CHECK(check({"--stratum-crit", "3", "--warn", "1h"}).status == 2);
    // A source that has no stratum cannot show that it is low enough.
    const Peer other{says_time()};
    result =
        scenario.run({"timecheck", "--via", fmt::format("time:{},ntp:1", other.address().port()),
                      "--stratum-warn", "3", "127.0.0.1"});
    CHECK(result.status == 3);
    CHECK(result.out.starts_with("TIMECHECK UNKNOWN - 1 of 1: 127.0.0.1 has an answer without a "
                                 "stratum | "));
}

TEST_CASE("a check that was interrupted does not claim that all is well") {
    Scenario scenario;
    std::binary_semaphore taken{0};
    const Peer answering{says_time_until(taken)};
    const Peer silent{[](const Fd& client) { (void)receive_all(client); }};
    for (const bool is_json : {false, true}) {
        Words words{"timecheck", "-t", "1h", "--warn", "1m", answering.text(), silent.text()};
        if (is_json) words.insert(words.begin() + 1, "-J");
        auto process = scenario.start(words);
        CHECK(taken.try_acquire_for(30s));
        process.kill(SIGTERM);
        const auto result = process.wait();
        CHECK(result.status == 128 + SIGTERM);
        if (is_json)
            CHECK(objects_of(result.out).back()["state"] == "CRITICAL");
        else
            CHECK(result.out.starts_with("TIMECHECK CRITICAL - 1 of 2: 1 interrupted | "));
    }
}
