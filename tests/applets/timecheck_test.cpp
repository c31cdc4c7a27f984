#include "harness/client.h"
#include "harness/clock_answers.h"
#include "harness/datagram_peer.h"
#include "harness/http_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include "core/date.h"
#include "core/poll.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <nlohmann/json.hpp>
#include <semaphore>
#include <sys/socket.h>
#include <utility>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::chrono_literals;

namespace {

// A server of RFC 868 whose clock is OFFSET before ours.
Peer::Work says_time(std::chrono::nanoseconds offset = {}) {
    return [offset](const Fd& client) { say(client, time_bytes_now(offset)); };
}

Words command(const Words& words) {
    Words all{"timecheck"};
    all.insert(all.end(), words.begin(), words.end());
    return all;
}

Words lines_of(std::string_view text) {
    Words lines;
    while (!text.empty()) {
        lines.emplace_back(text.substr(0, text.find('\n')));
        text.remove_prefix(std::min(text.size(), lines.back().size() + 1));
    }
    return lines;
}

std::vector<nlohmann::json> objects_of(std::string_view text) {
    std::vector<nlohmann::json> objects;
    for (const auto& line : lines_of(text)) {
        objects.push_back(nlohmann::json::parse(line));
        CHECK(objects.back()["v"] == 1);
    }
    return objects;
}

// Whether the reported offset of a clock that is OFFSET off is within its reported error.
bool contains(const nlohmann::json& object, double offset) {
    const double nanosecond = 1e-9;
    return object["offset"].is_number() && std::abs(object["offset"].get<double>() - offset) <=
                                               object["uncertainty"].get<double>() + nanosecond;
}

std::string with_port(const char* host, std::uint16_t port) {
    return fmt::format("{}:{}", host, port);
}

} // namespace

TEST_CASE("the table is the manual page's") {
    Scenario scenario;
    std::atomic<std::time_t> said = 0;
    const Peer server{[&said](const Fd& client) {
        said = std::time(nullptr) + 3600;
        say(client, time_bytes(said));
    }};
    const auto before = std::time(nullptr);
    const auto result = scenario.run({"timecheck", server.text()});
    CHECK(result.status == 0);
    CHECK(result.err.empty());
    const auto lines = lines_of(result.out);
    REQUIRE(lines.size() == 2);
    bool is_now = false;
    for (auto time = before; time <= std::time(nullptr) && !is_now; ++time)
        is_now = lines[0] == fmt::format("{:<24} {:>8} {}", "localhost", 0, date_text(time));
    CHECK(is_now);
    const auto offset = rows_of(result.out).at(0).offset();
    CHECK(is_about(offset, 3600));
    CHECK(lines[1] == fmt::format("{:<24} {:>8} {}", server.text(), offset, date_text(said)));
}

TEST_CASE("clocks behind and ahead of ours are reported, and 0 where that is possible") {
    Scenario scenario;
    const Peer behind{says_time(-7200s)};
    const Peer right{says_time()};
    const auto result = scenario.run({"timecheck", behind.text(), right.text()});
    CHECK(result.status == 0);
    const auto rows = rows_of(result.out);
    REQUIRE(rows.size() == 2);
    CHECK(is_about(rows[0].offset(), -7200));
    CHECK(rows[1].offset() == "0");
}

TEST_CASE("rows have the order of the arguments, or of the answers") {
    Scenario scenario;
    std::binary_semaphore first_may_answer{0};
    const Peer first{[&](const Fd& client) {
        (void)first_may_answer.try_acquire_for(30s);
        say(client, time_bytes_now());
    }};
    SUBCASE("of the arguments") {
        const Peer second{[&](const Fd& client) {
            say(client, time_bytes_now());
            ::shutdown(client.get(), SHUT_WR);
            (void)receive_all(client); // until the answer has been taken
            first_may_answer.release();
        }};
        const auto rows =
            rows_of(scenario.run({"timecheck", "-t", "25s", first.text(), second.text()}).out);
        REQUIRE(rows.size() == 2);
        CHECK(rows[0].name == first.text());
        CHECK(rows[1].name == second.text());
    }
    SUBCASE("of the answers, each of them at once") {
        const Peer second{says_time()};
        auto process = scenario.start(
            {"timecheck", "-t", "25s", "--as-completed", first.text(), second.text()});
        CHECK(process.line().starts_with("localhost "));
        CHECK(process.line().starts_with(second.text()));
        first_may_answer.release();
        CHECK(process.line().starts_with(first.text()));
        CHECK(process.wait().status == 0);
    }
    SUBCASE("what stands first is shown while others are waited for") {
        const Peer second{says_time()};
        auto process = scenario.start({"timecheck", "-t", "25s", second.text(), first.text()});
        CHECK(process.line().starts_with("localhost "));
        CHECK(process.line().starts_with(second.text()));
        first_may_answer.release();
        CHECK(process.wait().status == 0);
    }
}

TEST_CASE("a host that is named twice is asked twice") {
    Scenario scenario;
    std::atomic<int> questions = 0;
    const Peer server{[&questions](const Fd& client) {
        say(client, time_bytes_now());
        ++questions;
    }};
    const auto result = scenario.run({"timecheck", server.text(), server.text()});
    CHECK(result.status == 0);
    const auto rows = rows_of(result.out);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].name == rows[1].name);
    CHECK(questions == 2);
}

TEST_CASE("of several addresses, one that answers is enough") {
    Scenario scenario;
    const RefusedPort port;
    const auto host = with_port("localhost", port.number());
    auto result = scenario.run({"timecheck", host});
    CHECK(result.status == 1);
    CHECK(rows_of(result.out).at(0).text() == "refused");

    const Fd& listener = port.listen();
    const std::jthread server{[&listener] {
        for (int client = 0; client < 2; ++client)
            if (wait_for(listener.get(), POLLIN, Deadline::after(30s)))
                say(Fd::adopt(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC)),
                    time_bytes_now());
    }};
    result = scenario.run({"timecheck", "-n", host});
    CHECK(result.status == 0);
    CHECK(rows_of(result.out).at(0).name == "127.0.0.1"); // ::1 refuses
    result = scenario.run({"timecheck", "-6", host});
    CHECK(result.status == 1);
    CHECK(rows_of(result.out).at(0).text() == "refused");
    CHECK(scenario.run({"timecheck", "-4", host}).status == 0);
    result = scenario.run({"timecheck", "-6", "127.0.0.1"});
    CHECK(result.status == 1);
    CHECK(scenario.run({"timecheck", "-4", "-6", "127.0.0.1"}).status == 2);
}

TEST_CASE("a host's own port wins over the port for all") {
    Scenario scenario;
    const Peer all{says_time()};
    const Peer one{says_time(3600s)};
    const auto port = fmt::format("{}", all.address().port());
    const auto result = scenario.run({"timecheck", "-p", port, "127.0.0.1", one.text()});
    CHECK(result.status == 0);
    const auto rows = rows_of(result.out);
    REQUIRE(rows.size() == 2);
    CHECK(rows[0].name == "127.0.0.1");
    CHECK(rows[0].offset() == "0");
    CHECK(is_about(rows[1].offset(), 3600));
}

TEST_CASE("a list of hosts is read from a file and from standard input") {
    Scenario scenario;
    const Peer server{says_time()};
    const auto list =
        fmt::format("# our clocks\n\n  {} # the good one\r\n{}", server.text(), server.text());
    scenario.write_file("list", list);
    SUBCASE("a file") {
        const auto result = scenario.run({"timecheck", "-f", "list"});
        CHECK(result.status == 0);
        CHECK(result.err.empty());
        CHECK(rows_of(result.out).size() == 2);
    }
    SUBCASE("standard input, behind the arguments") {
        const auto result = scenario.run({"timecheck", "-f", "-", server.text()}, list);
        CHECK(result.status == 0);
        CHECK(rows_of(result.out).size() == 3);
    }
    SUBCASE("a bad line is named, and the others go on") {
        const auto result = scenario.run({"timecheck", "-f", "-"}, "no host!\n" + list);
        CHECK(result.status == 1);
        CHECK(result.err.starts_with("timecheck: standard input, line 1: 'no host!': expected "));
        CHECK(lines_of(result.err).size() == 1);
        CHECK(rows_of(result.out).size() == 2);
    }
    SUBCASE("an empty one") {
        const auto result = scenario.run({"timecheck", "-f", "-"}, "# nobody\n");
        CHECK(result.status == 1);
        CHECK(result.out.empty());
        CHECK(result.err == "timecheck: there is no host in the list\n");
    }
    SUBCASE("none") {
        const auto result = scenario.run({"timecheck", "-f", "absent"});
        CHECK(result.status == 1);
        CHECK(result.err == "timecheck: cannot open absent: No such file or directory\n");
    }
}

TEST_CASE("an invalid command line is a usage error") {
    Scenario scenario;
    for (const auto& words : std::initializer_list<Words>{{},
                                                          {"no host!"},
                                                          {"--via", "sundial", "a"},
                                                          {"--via", "", "a"},
                                                          {"--via", "time:", "a"},
                                                          {"--era-pivot", "soon", "a"},
                                                          {"--count", "2", "a"},
                                                          {"-g", "127.0.0.1"},
                                                          {"-P", "0", "a"},
                                                          {"a:0"}}) {
        const auto result = scenario.run(command(words));
        CHECK(result.status == 2);
        CHECK(result.out.empty());
        CHECK(result.err.starts_with("timecheck: "));
    }
}

TEST_CASE("every host of a network is asked") {
    Scenario scenario;
    auto server = scenario.start({"time-server", "--tcp", "-p", "0"});
    const auto port = fmt::format("{}", ready_address(server).port());
    const auto result = scenario.run({"timecheck", "-p", port, "-g", "127.3.3.0/29"});
    CHECK(result.status == 0);
    const auto rows = rows_of(result.out);
    REQUIRE(rows.size() == 6);
    CHECK(rows.front().name == "127.3.3.1");
    CHECK(rows.back().name == "127.3.3.6");
}

TEST_CASE("with -P 1 hosts are asked one after the other") {
    Scenario scenario;
    const Peer silent{[](const Fd& client) { (void)receive_all(client); }};
    std::atomic<Deadline::Clock::time_point> asked{};
    const Peer second{[&asked](const Fd& client) {
        asked = Deadline::Clock::now();
        say(client, time_bytes_now());
    }};
    const auto start = Deadline::Clock::now();
    const auto result =
        scenario.run({"timecheck", "-P", "1", "-t", "300ms", silent.text(), second.text()});
    CHECK(result.status == 1);
    CHECK(rows_of(result.out).at(0).text() == "timed out");
    CHECK(asked.load() - start >= 300ms);
}

TEST_CASE("more hosts than descriptors are asked anyway") {
    Scenario scenario;
    auto server = scenario.start({"time-server", "--tcp", "-p", "0"});
    const auto port = ready_address(server).port();
    Words words;
    for (int host = 0; host < 200; ++host)
        words.push_back(fmt::format("127.0.{}.{}:{}", host / 100, host % 100 + 1, port));
    for (const char* const limit : {"40", "20", "12"}) {
        const auto result =
            scenario.shell(fmt::format("ulimit -n {}; exec timecheck -t 25s \"$@\"", limit), words);
        CAPTURE(limit);
        CHECK(result.status == 0);
        CHECK(result.err.empty());
        const auto rows = rows_of(result.out);
        REQUIRE(rows.size() == words.size());
        for (std::size_t row = 0; row < rows.size(); ++row)
            CHECK(rows[row].name == words[row]);
    }
    // What can be raised is raised.
    CHECK(scenario.shell("ulimit -S -n 20; exec timecheck -t 25s \"$@\"", words).status == 0);
}

TEST_CASE("clocks that were never set or are far off are marked") {
    Scenario scenario;
    const Peer zero{[](const Fd& client) { say(client, std::string(4, '\0')); }};
    const Peer epoch{[](const Fd& client) { say(client, time_bytes(0)); }};
    auto result = scenario.run({"timecheck", zero.text(), epoch.text()});
    CHECK(result.status == 1);
    for (const auto& row : rows_of(result.out))
        CHECK(row.rest.ends_with(" (never set)"));
    const Peer tomorrow{says_time(25h)};
    result = scenario.run({"timecheck", tomorrow.text()});
    CHECK(result.status == 0);
    CHECK(is_about(rows_of(result.out).at(0).offset(), 25 * 3600));
    CHECK(result.out.ends_with(" (off by a day or more)\n"));
}

TEST_CASE("a time of 32 bits belongs to the era that is nearest to the pivot") {
    Scenario scenario;
    constexpr std::time_t in_2037 = 2114380800;
    constexpr std::time_t in_2100 = 4102444800;
    constexpr std::time_t era = 1LL << 32;
    const auto said = [&](std::time_t time, const Words& options) {
        const Peer server{[time](const Fd& client) { say(client, time_bytes(time)); }};
        auto words = options;
        words.insert(words.end(), {"-J", server.text()});
        const auto objects = objects_of(scenario.run(command(words)).out);
        return objects.at(0)["time"].get<std::string>();
    };
    CHECK(said(in_2037, {}) == "2037-01-01T00:00:00Z");
    CHECK(said(in_2037, {"--era-pivot", "2040"}) == "2037-01-01T00:00:00Z");
    CHECK(said(in_2100, {"--era-pivot", "2082-06-01"}) == "2100-01-01T00:00:00Z");
    CHECK(said(in_2100, {"--era-pivot", "1970"}) == "1963-11-25T17:31:44Z");
    CHECK(said(in_2037 + era, {"--era-pivot", "2040"}) == "2037-01-01T00:00:00Z");
    for (const char* const pivot : {"1968", "2083", "2040-13", "soon"})
        CHECK(scenario.run({"timecheck", "--era-pivot", pivot, "localhost"}).status == 2);
}

TEST_CASE("an object has everything that is known of a host") {
    Scenario scenario;
    const Peer server{says_time(3600s)};
    const RefusedPort refused;
    const auto nobody = with_port("127.0.0.1", refused.number());
    const auto result = scenario.run({"timecheck", "-J", server.text(), nobody, "host.invalid"});
    CHECK(result.status == 1);
    const auto objects = objects_of(result.out);
    REQUIRE(objects.size() == 3);
    const auto& first = objects[0];
    CHECK(first["type"] == "host");
    CHECK(first["host"] == server.text());
    CHECK(first["address"] == "127.0.0.1");
    CHECK(first["port"] == server.address().port());
    CHECK(first["source"] == "time");
    CHECK(contains(first, 3600));
    CHECK(first["uncertainty"] >= 0.5);
    CHECK(first["round_trip"] > 0);
    CHECK(first["time"].get<std::string>().size() == 20);
    CHECK(first["flag"].is_null());
    CHECK(first["error"].is_null());
    CHECK(objects[1]["error"] == "refused");
    CHECK(objects[1]["address"] == "127.0.0.1");
    CHECK_FALSE(objects[1].contains("offset"));
    CHECK(objects[2]["host"] == "host.invalid");
    CHECK(objects[2]["address"].is_null());
    CHECK(objects[2]["port"].is_null());
    CHECK(objects[2]["source"].is_null());
    CHECK(objects[2]["error"].is_string());

    const Peer zero{[](const Fd& client) { say(client, std::string(4, '\0')); }};
    const Peer tomorrow{says_time(25h)};
    const auto flagged =
        objects_of(scenario.run({"timecheck", "-J", zero.text(), tomorrow.text()}).out);
    CHECK(flagged.at(0)["flag"] == "not-set");
    CHECK(flagged.at(1)["flag"] == "day-off");
}

TEST_CASE("sources are asked in turn until one answers") {
    Scenario scenario;
    const RefusedDatagramPort no_udp;
    const RefusedPort no_tcp;
    const HttpPeer no_date{[](const HttpRequest&) -> HttpAnswer { return ok("", ""); }};
    const Peer daytime{
        [](const Fd& client) { say(client, date_text(std::time(nullptr)) + "\r\n"); }};
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
    // Nobody connects to a broadcast address.
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
    SUBCASE("a good one") {
        const DatagramPeer server{serve({.offset = -1500ms, .stratum = 2})};
        const auto [object, words] = ask(server);
        CHECK(contains(object, -1.5));
        CHECK(object["uncertainty"] <= object["round_trip"].get<double>() / 2 + 0.001);
        CHECK(object["source"] == "ntp");
        CHECK(object["stratum"] == 2);
        CHECK(object["reference"] == "84.69.83.84");
        CHECK(words.empty());
    }
    SUBCASE("its question says nothing of us") {
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
    SUBCASE("who does not want to be asked, or does not know") {
        CHECK(problem({.stratum = 0, .reference = "RATE"}) == "kiss of death (RATE)");
        CHECK(problem({.leap = 3}) == "its clock is not synchronised");
        CHECK(problem({.stratum = 16}) == "its clock is not synchronised");
    }
    SUBCASE("what answers another question is not believed") {
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
    const auto ask = [&](const std::string& text) {
        const Peer server{[&text](const Fd& client) { say(client, text); }};
        const auto source = fmt::format("daytime:{}", server.address().port());
        auto objects =
            objects_of(scenario.run({"timecheck", "-J", "--via", source, "127.0.0.1"}).out);
        REQUIRE(objects.size() == 1);
        return objects[0];
    };
    CHECK(ask("60639 24-11-24 02:55:01 00 0 0 713.5 UTC(NIST) *\r\n")["error"] ==
          "cannot find a time in what it says"); // the days are not the same
    CHECK(ask("61368 26-11-24 02:55:01 00 0 0 713.5 UTC(NIST) *\r\n")["time"] ==
          "2026-11-24T02:55:01Z");
    CHECK(contains(ask(date_text(std::time(nullptr) + 3600) + "\r\n"), 3600));
    CHECK(ask("it is late\r\n")["error"] == "cannot find a time in what it says");
}

TEST_CASE("a check has the status and the line that monitoring expects") {
    Scenario scenario;
    const Peer right{says_time()};
    const Peer slow{says_time(-3s)};
    const Peer wrong{says_time(3600s)};
    const auto check = [&](const Words& words) {
        Words all{"--warn", "1s", "--crit", "10s"};
        all.insert(all.end(), words.begin(), words.end());
        return scenario.run(command(all));
    };
    auto result = check({right.text()});
    CHECK(result.status == 0);
    CHECK(result.out.starts_with(
        fmt::format("TIMECHECK OK - 1 host in time | hosts=1 not_ok=0 '{}'=", right.text())));
    CHECK(result.out.ends_with("s;1;10\n"));
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
        (void)receive_all(client); // until the answer has been taken
        first_may_answer.release();
    }};
    const Peer one{says_time()};
    const Peer two{says_time()};
    const Words hosts{first.text(), second.text(), one.text(), two.text()};
    auto words = hosts;
    words.insert(words.begin(), {"-t", "25s", "--consensus", "--summary"});
    const auto result = scenario.run(command(words));
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
        scenario.run({"timecheck", "--warn", "100ms", "--crit", "1s", server.text()});
    CHECK(result.status == 1);
    CHECK(result.out.starts_with("TIMECHECK WARNING - 1 of 1: " + server.text()));
    CHECK(result.out.find(" +/-0.50 s | ") != std::string::npos);
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
        auto result = scenario.run(command(words));
        const std::string expected{reason};
        CAPTURE(expected);
        CHECK(result.status == 3);
        CHECK(result.out.starts_with(fmt::format("TIMECHECK UNKNOWN - {}", reason)));
        CHECK(lines_of(result.out).size() == 1);
        CHECK(result.err.starts_with("timecheck: "));
        auto json = words;
        json.insert(json.begin(), "-qJ");
        result = scenario.run(command(json));
        CHECK(result.status == 3);
        const auto objects = objects_of(result.out);
        REQUIRE(objects.size() == 1);
        CHECK(objects[0]["type"] == "state");
        CHECK(objects[0]["state"] == "UNKNOWN");
        CHECK(objects[0]["hosts"].is_null());
    }
    CHECK(scenario.run({"timecheck", "--warn", "1s", "--help"}).status == 0);
    CHECK(scenario.run({"timecheck", "--", "--warn"}).status == 1); // a host of that name
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
    auto result = scenario.run(command(limits), list);
    CHECK(result.status == 3);
    CHECK(result.out.starts_with("TIMECHECK UNKNOWN - 1 host in time, but 2 lines are no host "
                                 "(standard input, line 2) | hosts=1 not_ok=0 bad_lines=2 "));
    CHECK(lines_of(result.out).size() == 1);
    auto json = limits;
    json.insert(json.begin(), "-J");
    result = scenario.run(command(json), list);
    CHECK(result.status == 3);
    const auto last = objects_of(result.out).back();
    CHECK(last["state"] == "UNKNOWN");
    CHECK(last["text"] == "1 host in time, but 2 lines are no host (standard input, line 2)");
    result = scenario.run(command(limits), list + wrong.text());
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
        return scenario.run(command(words));
    };
    CHECK(check({"--stratum-warn", "4"}).status == 0);
    auto result = check({"--stratum-warn", "3", "--stratum-crit", "4"});
    CHECK(result.status == 1);
    CHECK(result.out.starts_with("TIMECHECK WARNING - 1 of 1: 127.0.0.1 is at stratum 4 | "));
    CHECK(result.out.ends_with(" '127.0.0.1 stratum'=4;3;4\n"));
    CHECK(check({"--stratum-crit", "3", "--warn", "1h"}).status == 2);
    // A source without a stratum does not say whether it is too high.
    const Peer other{says_time()};
    result =
        scenario.run({"timecheck", "--via", fmt::format("time:{},ntp:1", other.address().port()),
                      "--stratum-warn", "3", "127.0.0.1"});
    CHECK(result.status == 3);
    CHECK(result.out.starts_with("TIMECHECK UNKNOWN - 1 of 1: 127.0.0.1 has an answer without a "
                                 "stratum | "));
}

TEST_CASE("every row has the same columns, whatever its name") {
    Scenario scenario;
    const Peer server{says_time()};
    const auto long_name = std::string(30, 'x') + "=" + server.text();
    const auto columns = [](std::string_view row) { // up to the date, which begins with a weekday
        return row.find(date_text(std::time(nullptr)).substr(0, 3));
    };
    const auto words = [](const std::string& row) {
        return std::ranges::count(row, ' ') -
               std::ranges::count_if(row, [previous = 'x'](char byte) mutable {
                   return std::exchange(previous, byte) == ' ' && byte == ' ';
               });
    };
    for (const auto& options : std::initializer_list<Words>{{}, {"-v"}, {"-n"}, {"-v", "-n"}}) {
        auto all = options;
        all.insert(all.end(), {server.text(), long_name});
        const auto lines = lines_of(scenario.run(command(all)).out);
        REQUIRE(lines.size() == 3);
        for (const auto& line : lines) {
            CHECK(words(line) == words(lines[0]));
            CHECK(columns(line) == columns(lines[0]));
        }
    }
}

TEST_CASE("a host can have a label, and goes by it") {
    Scenario scenario;
    const Peer server{says_time()};
    const auto host = "db-1=" + server.text();
    const auto result = scenario.run({"timecheck", host});
    CHECK(result.status == 0);
    CHECK(rows_of(result.out).at(0).name == "db-1");
    const auto object = objects_of(scenario.run({"timecheck", "-J", "-f", "-"}, host).out).at(0);
    CHECK(object["label"] == "db-1");
    CHECK(object["host"] == server.text());
    CHECK(scenario.run({"timecheck", "--warn", "10s", host}).out.find(" 'db-1'=") !=
          std::string::npos);
}

TEST_CASE("a range of addresses is asked, also in fping's words") {
    Scenario scenario;
    auto server = scenario.start({"time-server", "--tcp", "-p", "0"});
    const auto port = fmt::format("{}", ready_address(server).port());
    for (const auto& range :
         std::initializer_list<Words>{{"127.3.3.9-127.3.3.12"}, {"127.3.3.9", "127.3.3.12"}}) {
        Words words{"-p", port, "-g"};
        words.insert(words.end(), range.begin(), range.end());
        const auto result = scenario.run(command(words));
        CHECK(result.status == 0);
        const auto rows = rows_of(result.out);
        REQUIRE(rows.size() == 4);
        CHECK(rows.front().name == "127.3.3.9");
        CHECK(rows.back().name == "127.3.3.12");
    }
}

TEST_CASE("objects say what rows say, also of an answer that was refused") {
    Scenario scenario;
    const auto ask = [&](const std::string& via, int status) {
        const auto result =
            scenario.run({"timecheck", "-t", "25s", "-J", "--via", via, "127.0.0.1"});
        CHECK(result.status == status);
        return objects_of(result.out).at(0);
    };
    const auto ntp = [&](const NtpServer& answer, int status) {
        const DatagramPeer server{[answer](const test::Datagram& question) {
            question.answer(ntp_answer(question.bytes, answer));
        }};
        return ask("ntp:" + server.port(), status);
    };
    auto object = ntp({.leap = 3, .stratum = 16, .reference = "INIT"}, 1);
    CHECK(object["error"] == "its clock is not synchronised");
    CHECK(object["stratum"] == 16);
    CHECK(object["leap"] == "unknown");
    object = ntp({.stratum = 0, .reference = "RATE"}, 1);
    CHECK(object["stratum"] == 0);
    CHECK(object["reference"] == "RATE");
    object = ntp({.leap = 1}, 0);
    CHECK(object["leap"] == "insert");
    CHECK(object["remarks"] == nlohmann::json::array({"announces a leap second"}));

    const auto daytime = [&](const std::string& text) {
        const Peer server{[&text](const Fd& client) { say(client, text + "\r\n"); }};
        return ask(fmt::format("daytime:{}", server.address().port()), 0);
    };
    object = daytime("Tue Nov 24 02:55:01 2026");
    CHECK(object["states_zone"] == false);
    CHECK(object["remarks"].back() == "taken for local time");
    object = daytime("Mon Nov  2 02:55:01 CST 2020");
    CHECK(object["remarks"].back() == "ambiguous zone CST, taken for UTC-06:00");
    object = daytime("61368 26-11-24 02:55:01 00 2 3 713.5 UTC(NIST) *");
    CHECK(object["health"] == 3);
    CHECK(object["leap"] == "remove");
    CHECK(object["uncertainty"] > 3600);
    CHECK(object["remarks"].size() >= 2);
    CHECK(daytime("61368 26-11-24 02:55:01 00 0 0 713.5 UTC(NIST) *")["health"] == 0);
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

TEST_CASE("a summary has the numbers of hosts and the offsets") {
    Scenario scenario;
    const Peer right{says_time()};
    const Peer wrong{says_time(3600s)};
    const RefusedPort refused;
    const Words hosts{right.text(), with_port("127.0.0.1", refused.number()), wrong.text()};
    auto words = hosts;
    words.insert(words.begin(), "--summary");
    const auto result = scenario.run(command(words));
    CHECK(result.status == 1);
    const auto lines = lines_of(result.out);
    REQUIRE(lines.size() == 5); // no plot where nobody sees it
    CHECK(lines[4].starts_with("summary: 2 answered, 1 failed; offset least "));
    words.insert(words.begin(), "-J");
    const auto objects = objects_of(scenario.run(command(words)).out);
    REQUIRE(objects.size() == 4);
    CHECK(objects[3]["type"] == "summary");
    CHECK(objects[3]["answered"] == 2);
    CHECK(objects[3]["failed"] == 1);
    CHECK(objects[3]["least"].get<double>() < 10);
    CHECK(objects[3]["greatest"].get<double>() > 3590);
    CHECK(objects[3]["median"].get<double>() == doctest::Approx(1800).epsilon(0.01));
    // One bar for each of what is far apart.
    const auto seen = scenario.run(
        {"script", "-qec", fmt::format("timecheck --summary {} {}", right.text(), wrong.text()),
         "/dev/null"});
    CHECK(seen.out.find("  ###") != std::string::npos);
}

TEST_CASE("a watch rests between its rounds") {
    Scenario scenario;
    const auto result = scenario.run({"timecheck", "--watch", "0", "localhost"});
    CHECK(result.status == 2);
    CHECK(result.err.starts_with("timecheck: --watch needs a duration above 0"));
}

TEST_CASE("a watch tells the drift") {
    Scenario scenario;
    const Peer server{says_time()};
    auto result = scenario.run({"timecheck", "--watch", "1ms", "--count", "3", server.text()});
    CHECK(result.status == 0);
    const auto lines = lines_of(result.out);
    REQUIRE(lines.size() == 6);
    CHECK(lines[0].starts_with("localhost "));
    CHECK(lines[2].starts_with("localhost "));
    CHECK_FALSE(lines[1].ends_with(" ppm"));
    CHECK(lines[3].ends_with(" ppm"));
    CHECK(lines[5].ends_with(" ppm"));
    const auto objects = objects_of(
        scenario.run({"timecheck", "-J", "--watch", "1ms", "--count", "2", server.text()}).out);
    REQUIRE(objects.size() == 2);
    CHECK_FALSE(objects[0].contains("drift_ppm"));
    CHECK(objects[1]["drift_ppm"].is_number());
}

TEST_CASE("a tick tells more than a second") {
    Scenario scenario;
    constexpr auto offset = 370ms; // nothing of it can be seen in one answer
    const Peer server{says_time(offset)};
    // A machine that is busy makes round trips long, and answers that are less exact.
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

TEST_CASE("an interruption prints what is known") {
    Scenario scenario;
    std::binary_semaphore taken{0};
    const Peer answering{[&taken](const Fd& client) {
        say(client, time_bytes_now());
        ::shutdown(client.get(), SHUT_WR);
        (void)receive_all(client); // until the answer has been taken
        taken.release();
    }};
    const Peer silent{[](const Fd& client) { (void)receive_all(client); }};
    auto process =
        scenario.start({"timecheck", "-t", "1h", "--summary", silent.text(), answering.text()});
    CHECK(taken.try_acquire_for(30s));
    process.kill(SIGINT);
    const auto result = process.wait();
    CHECK(result.status == 128 + SIGINT);
    CHECK(result.err == "timecheck: interrupted: 1 of 2 hosts have not answered\n");
    const auto lines = lines_of(result.out);
    REQUIRE(lines.size() == 3);
    CHECK(lines[1].starts_with(answering.text()));
    CHECK(lines[2].starts_with("summary: 1 answered, 0 failed"));
}

TEST_CASE("a check that was interrupted does not claim that all is well") {
    Scenario scenario;
    std::binary_semaphore taken{0};
    const Peer answering{[&taken](const Fd& client) {
        say(client, time_bytes_now());
        ::shutdown(client.get(), SHUT_WR);
        (void)receive_all(client); // until the answer has been taken
        taken.release();
    }};
    const Peer silent{[](const Fd& client) { (void)receive_all(client); }};
    for (const bool is_json : {false, true}) {
        Words words{"timecheck", "-t", "1h", "--warn", "1s", answering.text(), silent.text()};
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

TEST_CASE("a lost write to standard output is a failure") {
    Scenario scenario;
    const Peer server{says_time()};
    auto result = scenario.shell("timecheck \"$1\" > /dev/full", {server.text()});
    CHECK(result.status == 1);
    CHECK(result.err == "timecheck: cannot write standard output: No space left on device\n");
    result = scenario.shell("timecheck \"$1\" >&-", {server.text()});
    CHECK(result.status == 1);
    CHECK(result.err.starts_with("timecheck: cannot write standard output"));
}

TEST_CASE("-q prints only the rows of hosts that failed") {
    Scenario scenario;
    const Peer server{says_time()};
    const RefusedPort port;
    const auto nobody = with_port("127.0.0.1", port.number());
    const auto result = scenario.run({"timecheck", "-q", server.text(), nobody});
    CHECK(result.status == 1);
    CHECK(result.out == fmt::format("{:<24} {:>8} refused\n", nobody, "-"));
    CHECK(scenario.run({"timecheck", "-q", server.text()}).out.empty());
}
