// The clock applets with servers and a client of other projects. Each has its own well-known port,
// so the test runs in a network of its own.
#include "harness/client.h"
#include "harness/scenario.h"

#include <chrono>
#include <cstdlib>
#include <ctime>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <string>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

constexpr auto host = "192.0.2.1";

bool succeeds(Scenario& scenario, const Words& words) {
    return eventually([&] { return scenario.run(words).status == 0; });
}

// The services that inetd has built in, over TCP and UDP.
Process start_inetd(Scenario& scenario) {
    scenario.write_file("inetd.conf", "time stream tcp nowait root internal\n"
                                      "time dgram udp wait root internal\n"
                                      "daytime stream tcp nowait root internal\n"
                                      "daytime dgram udp wait root internal\n");
    auto inetd = scenario.start({"inetd", "-i", scenario.path("inetd.conf")});
    REQUIRE(succeeds(scenario, {"tcp-client", "-z", host, "37"}));
    REQUIRE(succeeds(scenario, {"tcp-client", "-z", host, "13"}));
    return inetd;
}

// Whether the offset in a JSON object is less than SECONDS.
bool is_within(const Result& result, double seconds) {
    constexpr std::string_view member = R"("offset":)";
    const auto at = result.out.find(member);
    if (result.status != 0 || at == std::string::npos) return false;
    return std::abs(std::strtod(result.out.c_str() + at + member.size(), nullptr)) < seconds;
}

// The answer of a clock. On a busy machine, the time between two readings can look like an offset
// of more than SECONDS: then the clock is asked again.
Result ask_clock(Scenario& scenario, const Words& words, double seconds) {
    Result result;
    (void)eventually([&] {
        result = scenario.run(words);
        return is_within(result, seconds);
    });
    return result;
}

} // namespace

TEST_CASE("the clock applets read inetd's time and daytime, over TCP and UDP") {
    Scenario scenario;
    const auto inetd = start_inetd(scenario);
    for (const Words& words :
         {Words{"timecheck", "-J", host}, Words{"udptime", "-J", host},
          Words{"udptime", "-J", "-t", "20s", "-g", "192.0.2.1/32"}, Words{"daytime", "-J", host},
          Words{"daytime", "-J", "-u", host}, Words{"timecheck", "-J", "--via", "daytime", host},
          Words{"timecheck", "-J", "--via", "daytime-udp", host}}) {
        const auto result = ask_clock(scenario, words, 2);
        CHECK_MESSAGE(is_within(result, 2), words.front(), ": ", result.out, result.err);
    }
    // The clock may tick between two readings that are compared.
    CHECK(eventually([&] {
        const auto table = scenario.run({"timecheck", host});
        return table.status == 0 &&
               table.out.find(fmt::format("\n{:<24} {:>8} ", host, 0)) != std::string::npos;
    }));
    CHECK(eventually([&] {
        const auto tcp = scenario.run({"daytime", host});
        return tcp.status == 0 && tcp.out.size() == sizeof "Tue Nov 24 02:55:01 2026" &&
               scenario.run({"daytime", "-u", host}).out.starts_with(tcp.out);
    }));
}

TEST_CASE("timecheck reads the time of chronyd over SNTP") {
    Scenario scenario;
    scenario.write_file("chrony.conf",
                        fmt::format("local stratum 10\nallow\ncmdport 0\nbindcmdaddress /\n"
                                    "pidfile {}\n",
                                    scenario.path("chronyd.pid")));
    // With -x, chronyd does not set our clock.
    const auto chronyd =
        scenario.start({"chronyd", "-x", "-d", "-U", "-f", scenario.path("chrony.conf")});
    const Words ask{"timecheck", "-J", "--via", "ntp", host};
    REQUIRE(succeeds(scenario, ask));
    const auto result = ask_clock(scenario, ask, 0.1);
    CHECK_MESSAGE(is_within(result, 0.1), result.out);
    CHECK(result.out.find(R"("source":"ntp")") != std::string::npos);
    CHECK(result.out.find(R"("stratum":10)") != std::string::npos);
    // The other sources refuse to answer.
    const auto chain =
        ask_clock(scenario, {"timecheck", "-J", "--via", "time,time-udp,http,ntp", host}, 0.1);
    CHECK_MESSAGE(is_within(chain, 0.1), chain.out);
}

TEST_CASE("timecheck reads the time of nginx from the Date of its answers") {
    Scenario scenario;
    scenario.write_file("nginx.conf",
                        "daemon off; master_process off; pid nginx.pid;\n"
                        "error_log stderr crit; events { }\n"
                        "http { access_log off; server { listen 80; return 404; } }\n");
    const auto nginx = scenario.start(
        {"nginx", "-p", scenario.path(""), "-c", scenario.path("nginx.conf"), "-e", "stderr"});
    REQUIRE(succeeds(scenario, {"tcp-client", "-z", host, "80"}));
    const auto result =
        ask_clock(scenario, {"timecheck", "-J", "--via", "time,time-udp,ntp,http", host}, 2);
    CHECK_MESSAGE(is_within(result, 2), result.out);
    CHECK(result.out.find(R"("source":"http")") != std::string::npos);
    const auto precise =
        ask_clock(scenario, {"timecheck", "-J", "--precise", "--via", "http", host}, 0.5);
    CHECK_MESSAGE(is_within(precise, 0.5), precise.out);
}

TEST_CASE("rdate reads the time of time-server") {
    Scenario scenario;
    constexpr std::time_t hour = 3600;
    auto server = scenario.start({"time-server", "--offset", fmt::format("{}", hour)});
    (void)ready_address(server);
    for (const std::string option : {"-p", "-pu"}) {
        // rdate prints the time as ctime(3) does, with a zone that date(1) knows.
        const auto result =
            scenario.shell("date -d \"$(rdate \"$1\" \"$2\")\" +%s", {option, host});
        REQUIRE_MESSAGE(result.status == 0, result.err);
        // Not time(2): it can be a clock tick behind the clock that the server reads.
        const auto now = std::chrono::system_clock::now();
        const auto ahead = std::strtol(result.out.c_str(), nullptr, 10) -
                           std::chrono::system_clock::to_time_t(now);
        CHECK(ahead >= hour - 30);
        CHECK(ahead <= hour);
    }
}
