#include "clocks/survey.h"

#include "harness/clock_answers.h"
#include "harness/peer.h"

#include <csignal>
#include <doctest/doctest.h>
#include <map>
#include <string>

using namespace ipcbox;
using namespace ipcbox::clocks;
using namespace std::chrono_literals;

namespace {

struct Findings : SurveyEvents {
    std::map<std::size_t, Finding> all;
    std::size_t pauses = 0;

    void found(std::size_t number, Finding finding) override {
        CHECK(all.emplace(number, std::move(finding)).second); // each host once
    }
    void waiting() override { ++pauses; }
};

SurveyOptions options(Duration patience) {
    SurveyOptions options;
    options.sources = {{Source::time, std::nullopt}};
    options.patience = patience;
    return options;
}

} // namespace

TEST_CASE("a survey of no hosts ends immediately") {
    SignalFd signals{SIGUSR1};
    Findings findings;
    const std::vector<Host> hosts;
    Survey survey{hosts, options(25s), findings};
    CHECK(survey.run(signals) == 0);
    CHECK(findings.all.empty());
}

TEST_CASE("each host is found once") {
    SignalFd signals{SIGUSR1};
    const test::Peer server{
        [](const Fd& client) { test::say(client, test::time_bytes_now(3600s)); }};
    const test::RefusedPort refused;
    const std::vector hosts{parse_host(server.text()),
                            parse_host("127.0.0.1:" + std::to_string(refused.number())),
                            parse_host(server.text())};
    Findings findings;
    auto wanted = options(25s);
    wanted.at_once = 1;
    Survey survey{hosts, wanted, findings};
    CHECK(survey.run(signals) == 0);
    REQUIRE(findings.all.size() == 3);
    CHECK(findings.all[1].answer.problem == "refused");
    for (const std::size_t number : {0U, 2U}) {
        const auto& [answer, source, address] = findings.all[number];
        REQUIRE(answer.reading);
        CHECK(std::chrono::abs(answer.reading->offset - 3600s) <= answer.reading->error);
        CHECK(source == Source::time);
        CHECK(address == server.address());
    }
}

TEST_CASE("a signal ends it") {
    SignalFd signals{SIGUSR1};
    const test::Peer silent{[](const Fd& client) { (void)test::receive_all(client); }};
    const std::vector hosts{parse_host(silent.text())};
    Findings findings;
    {
        Survey survey{hosts, options(1h), findings};
        ::kill(::getpid(), SIGUSR1);
        CHECK(survey.run(signals) == SIGUSR1);
    }
    CHECK(findings.all.empty());
    CHECK(findings.pauses > 0);
}

TEST_CASE("the time for all of them is less than that for each") {
    SignalFd signals{SIGUSR1};
    const test::Peer silent{[](const Fd& client) { (void)test::receive_all(client); }};
    const std::vector hosts(3, parse_host(silent.text()));
    auto wanted = options(1h);
    std::string problems;
    // On a busy machine, a short time can end before all of them are asked.
    for (const int milliseconds : {50, 1000, 10'000}) {
        wanted.total = std::chrono::milliseconds{milliseconds};
        Findings findings;
        Survey survey{hosts, wanted, findings};
        CHECK(survey.run(signals) == 0);
        problems.clear();
        for (const auto& [number, finding] : findings.all)
            problems += finding.answer.problem + ";";
        if (problems.find("not asked in time") == std::string::npos) break;
    }
    CHECK(problems == "timed out;timed out;timed out;");
}
