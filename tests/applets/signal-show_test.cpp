#include "harness/scenario.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox::test;

namespace {

std::string number(pid_t pid) {
    return fmt::format("{}", pid);
}

} // namespace

TEST_CASE("signals that a process ignores, catches and blocks are named") {
    Scenario scenario;
    auto job = scenario.start_shell("trap '' HUP USR1; trap : TERM; echo up; read line");
    REQUIRE(job.line() == "up");
    const auto shown = scenario.run({"signal-show", number(job.pid())});
    CHECK(shown.status == 0);
    CHECK(
        shown.out.starts_with(fmt::format("{} (sh)\n  ignored  HUP USR1\n  caught   ", job.pid())));
    CHECK(shown.out.find("TERM") != std::string::npos);
    const auto blocking = scenario.run(
        {"signal-run", "--block", "USR2", "--default", "all", "signal-show", "--self"});
    CHECK(blocking.out.find("\n  blocked  USR2\n") != std::string::npos);
}

TEST_CASE("the default is the shell that asks") {
    Scenario scenario;
    CHECK(scenario.shell("trap '' USR1; signal-show -J; :").out.find(R"("ignored":["USR1")") !=
          std::string::npos);
}

TEST_CASE("a pending signal is seen, and a watch prints changes until the end") {
    Scenario scenario;
    auto job = scenario.start({"signal-run", "--block", "USR1", "sh", "-c", "echo up; read line"});
    REQUIRE(job.line() == "up");
    auto watch = scenario.start({"signal-show", "-J", "--watch", "10ms", number(job.pid())});
    CHECK(watch.line().ends_with(R"("blocked":["USR1"],"pending":[]})"));
    job.kill(SIGUSR1);
    CHECK(watch.line().ends_with(R"("blocked":["USR1"],"pending":["USR1"]})"));
    job.close_input();
    CHECK(job.wait().status == 1);
    CHECK(watch.wait().status == 0);
}

TEST_CASE("threads and all processes are shown") {
    Scenario scenario;
    auto job = scenario.start_shell("echo up; read line");
    REQUIRE(job.line() == "up");
    CHECK(scenario.run({"signal-show", "--threads", number(job.pid())})
              .out.starts_with(fmt::format("{0} thread {0} (sh)\n", job.pid())));
    const auto all = scenario.run({"signal-show", "--all", "-J"});
    CHECK(all.status == 0);
    CHECK(all.out.find(fmt::format(R"({{"v":1,"pid":{},"name":"sh",)", job.pid())) !=
          std::string::npos);
}

TEST_CASE("a process that is gone is an error, and the others are shown") {
    Scenario scenario;
    auto job = scenario.start_shell("echo up; read line");
    REQUIRE(job.line() == "up");
    const auto result = scenario.run({"signal-show", "4194304", number(job.pid()) + ":1"});
    CHECK(result.status == 1);
    CHECK(result.out.empty());
    CHECK(result.err == fmt::format("signal-show: cannot show 4194304: no such process\n"
                                    "signal-show: cannot show {}:1: no such process\n",
                                    job.pid()));
    CHECK(scenario.run({"signal-show", "--self", "--all"}).status == 2);
    CHECK(scenario.run({"signal-show", "0"}).status == 2);
}
