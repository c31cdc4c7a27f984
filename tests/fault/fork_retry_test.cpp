// --retry-fork: the kernel refuses to start a process at first, and allows it later.
#include "harness/environment.h"
#include "harness/scenario.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

constexpr const char* twice = "clone=EAGAIN@1,clone=EAGAIN@2";

Result run_with(Scenario& scenario, const char* fault, const Words& words) {
    const Variable which{"IPCBOX_FAULT", fault};
    return scenario.run(words);
}

std::string told(const std::string& applet, const char* pause) {
    return fmt::format("{}: cannot fork: Resource temporarily unavailable; trying again in {}\n",
                       applet, pause);
}

} // namespace

TEST_CASE("a command is started once the kernel has a process for it") {
    Scenario scenario;
    for (const auto& words :
         {Words{"timeout-run", "--retry-fork", "2:2ms", "100", "echo", "text"},
          {"reap-run", "--retry-fork", "2:2ms", "echo", "text"},
          {"signal-run", "--log", "--retry-fork", "2:2ms", "echo", "text"},
          {"open3-run", "+x", "-q", "--retry-fork", "2:2ms", "echo", "text"},
          {"pipe-run", "--retry-fork", "2:2ms", "--", "echo", "text"},
          {"open2-run", "--retry-fork", "2:2ms", "--ask", "text", "--", "cat"}}) {
        const auto result = run_with(scenario, twice, words);
        CAPTURE(words.front());
        CHECK(result.status == 0);
        CHECK(result.out.find("text\n") != std::string::npos);
        CHECK(result.err == told(words.front(), "2ms") + told(words.front(), "2ms"));
    }
}

TEST_CASE("every stage of a pipeline and both sides of a dialogue are tried again") {
    Scenario scenario;
    const char* const second = "clone=ENOMEM@2,clone=ENOMEM@3";
    const auto pipe = run_with(
        scenario, second,
        {"pipe-run", "--retry-fork", "2:1ms", "--", "echo", "text", "--then", "tr", "t", "T"});
    CHECK(pipe.status == 0);
    CHECK(pipe.out == "TexT\n");
    CHECK(run_with(scenario, second,
                   {"open2-run", "--retry-fork", "2:1ms", "--", "echo", "text", "--with", "cat"})
              .status == 0);
}

TEST_CASE("after the last attempt nothing has run") {
    Scenario scenario;
    const auto result =
        run_with(scenario, "clone=EAGAIN%1",
                 {"pipe-run", "--atomic", "file", "--retry-fork", "2:1ms", "--", "echo", "text"});
    CHECK(result.status == 125);
    CHECK(result.err.starts_with(told("pipe-run", "1ms") + told("pipe-run", "1ms") +
                                 "pipe-run: cannot start "));
    CHECK(scenario.count_files() == 0);
}

TEST_CASE("a signal ends the pause, and nothing is left behind") {
    Scenario scenario;
    const Variable which{"IPCBOX_FAULT", "clone=EAGAIN%1"};
    auto process = scenario.start(
        {"pipe-run", "--atomic", "file", "--retry-fork", "6:1h", "--", "echo", "text"});
    CHECK(process.error_line().find("trying again in 1h") != std::string::npos);
    process.kill(SIGTERM);
    CHECK(process.wait().status == 128 + SIGTERM);
    CHECK(scenario.count_files() == 0);
}

TEST_CASE("a daemon is started once the kernel has a process for it") {
    Scenario scenario;
    const auto alone = run_with(scenario, "fork=EAGAIN@1,fork=EAGAIN@2",
                                {"daemon-run", "--retry-fork", "2:1ms", "--settle", "9", "true"});
    CHECK(alone.err.starts_with(told("daemon-run", "1ms") + told("daemon-run", "1ms") +
                                "daemon-run: true ended after "));
    // With a keeper, two processes start: first the keeper, and then the daemon.
    const auto kept = run_with(scenario, "fork=EAGAIN@1,fork=EAGAIN@child1",
                               {"daemon-run", "--retry-fork", "2:1ms", "--rotate", "1M:1", "-o",
                                "log", "--settle", "9", "true"});
    CHECK(kept.err.starts_with(told("daemon-run", "1ms") + told("daemon-run", "1ms") +
                               "daemon-run: true ended after "));
    const auto refused = run_with(scenario, "fork=EAGAIN%1",
                                  {"daemon-run", "-p", "pid", "--retry-fork", "1:1ms", "true"});
    CHECK(refused.status == 125);
    CHECK(scenario.run({"daemon-run", "-p", "pid", "--status"}).status == 3);
}

TEST_CASE("an invalid policy is a usage error") {
    Scenario scenario;
    for (const char* const policy : {"6", "0:1s", "6:0", "6:", ":10s", "six:10s"}) {
        CAPTURE(policy);
        const auto result = scenario.run({"pipe-run", "--retry-fork", policy, "--", "true"});
        CHECK(result.status == 2);
        CHECK(result.err.find("expected TIMES:PAUSE, such as 6:10s") != std::string::npos);
    }
}
