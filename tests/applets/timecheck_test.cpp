#include "harness/clock_reports.h"
#include "harness/datagram_peer.h"
#include "harness/time_limit.h"

#include "core/date.h"
#include "core/poll.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <ctime>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <initializer_list>
#include <semaphore>
#include <sys/socket.h>
#include <utility>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::chrono_literals;

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
            (void)receive_all(client); // returns when the client has the answer
            first_may_answer.release();
        }};
        const auto rows =
            rows_of(scenario.run({"timecheck", "-t", "25s", first.text(), second.text()}).out);
        REQUIRE(rows.size() == 2);
        CHECK(rows[0].name == first.text());
        CHECK(rows[1].name == second.text());
    }
    SUBCASE("of the answers, and each row is printed immediately") {
        const Peer second{says_time()};
        auto process = scenario.start(
            {"timecheck", "-t", "25s", "--as-completed", first.text(), second.text()});
        CHECK(process.line().starts_with("localhost "));
        CHECK(process.line().starts_with(second.text()));
        first_may_answer.release();
        CHECK(process.line().starts_with(first.text()));
        CHECK(process.wait().status == 0);
    }
    SUBCASE("a first row is printed while timecheck waits for the others") {
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
        ++questions; // before the answer, with which timecheck ends
        say(client, time_bytes_now());
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
    SUBCASE("standard input, after the arguments") {
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
    SUBCASE("an empty list") {
        const auto result = scenario.run({"timecheck", "-f", "-"}, "# nobody\n");
        CHECK(result.status == 1);
        CHECK(result.out.empty());
        CHECK(result.err == "timecheck: there is no host in the list\n");
    }
    SUBCASE("a list that does not exist") {
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
        const auto result = scenario.run(timecheck(words));
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
    Deadline::Clock::time_point start;
    const auto result = with_time_limit(
        [&](const std::string& limit) {
            start = Deadline::Clock::now();
            return scenario.run(
                {"timecheck", "-P", "1", "-t", limit, silent.text(), second.text()});
        },
        [](const Result& both) { return rows_of(both.out).at(1).offset() != "-"; });
    CHECK(result.status == 1);
    CHECK(rows_of(result.out).at(0).text() == "timed out");
    CHECK(asked.load() - start >= 100ms);
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
    // timecheck raises the limit as far as it may.
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
        const auto objects = objects_of(scenario.run(timecheck(words)).out);
        return objects.at(0)["time"].get<std::string>();
    };
    CHECK(said(in_2037, {}) == "2037-01-01T00:00:00Z");
    CHECK(said(in_2037, {"--era-pivot", "2040"}) == "2037-01-01T00:00:00Z");
    CHECK(said(in_2100, {"--era-pivot", "2082-12-12"}) == "2100-01-01T00:00:00Z");
    CHECK(said(in_2100, {"--era-pivot", "1970"}) == "1963-11-25T17:31:44Z");
    CHECK(said(in_2037 + era, {"--era-pivot", "2040"}) == "2037-01-01T00:00:00Z");
    for (const char* const pivot : {"1968", "2082-12-13", "2083", "2040-13", "soon"})
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
        const auto lines = lines_of(scenario.run(timecheck(all)).out);
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
        const auto result = scenario.run(timecheck(words));
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

TEST_CASE("a summary has the numbers of hosts and the offsets") {
    Scenario scenario;
    const Peer right{says_time()};
    const Peer wrong{says_time(3600s)};
    const RefusedPort refused;
    const Words hosts{right.text(), with_port("127.0.0.1", refused.number()), wrong.text()};
    auto words = hosts;
    words.insert(words.begin(), "--summary");
    const auto result = scenario.run(timecheck(words));
    CHECK(result.status == 1);
    const auto lines = lines_of(result.out);
    REQUIRE(lines.size() == 5); // without a terminal, no plot
    CHECK(lines[4].starts_with("summary: 2 answered, 1 failed; offset least "));
    words.insert(words.begin(), "-J");
    const auto objects = objects_of(scenario.run(timecheck(words)).out);
    REQUIRE(objects.size() == 4);
    CHECK(objects[3]["type"] == "summary");
    CHECK(objects[3]["answered"] == 2);
    CHECK(objects[3]["failed"] == 1);
    CHECK(objects[3]["least"].get<double>() < 10);
    CHECK(objects[3]["greatest"].get<double>() > 3590);
    CHECK(objects[3]["median"].get<double>() == doctest::Approx(1800).epsilon(0.01));
    // Values that are far away have their own bars.
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

TEST_CASE("an interruption prints what is known") {
    Scenario scenario;
    std::binary_semaphore taken{0};
    const Peer answering{says_time_until(taken)};
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
