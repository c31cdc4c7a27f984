#include "process/readiness.h"

#include "core/spawn.h"
#include "harness/scenario.h"

#include <csignal>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::process;
using namespace std::chrono_literals;
using Kind = Readiness::Outcome::Kind;

namespace {

// Starts a shell with SCRIPT. Its standard output is the descriptor of the plan. Returns the
// outcome.
Readiness::Outcome outcome_of(const ReadyPlan& plan, const std::string& script) {
    Readiness readiness{plan};
    if (readiness.socket_name()) ::setenv("NOTIFY_SOCKET", readiness.socket_name()->c_str(), 1);
    SpawnPlan spawn_plan;
    if (readiness.descriptor() >= 0) spawn_plan.output = readiness.descriptor();
    Child child = spawn("/bin/sh", std::vector<std::string>{"sh", "-c", script}, spawn_plan);
    Fd none;
    SignalFd signals{SIGUSR1};
    return readiness.wait(child, none, signals);
}

bool is_up_line(std::string_view line) {
    return line == "up";
}

} // namespace

TEST_CASE("a daemon that runs for a while is up, and one that ends is not") {
    ReadyPlan plan;
    CHECK(outcome_of(plan, "exec sleep 1000").kind == Kind::up);
    plan.settle = 30s;
    const auto outcome = outcome_of(plan, "exit 3");
    CHECK(outcome.kind == Kind::ended);
    CHECK(outcome.status->as_exit_status() == 3);
}

TEST_CASE("a signal for us ends the wait") {
    ReadyPlan plan;
    plan.settle = 30s;
    const auto signalled = fmt::format("kill -USR1 {}; exec sleep 1000", ::getpid());
    const auto outcome = outcome_of(plan, signalled);
    CHECK(outcome.kind == Kind::stopped);
    CHECK(outcome.signal == SIGUSR1);
}

TEST_CASE("a daemon that writes a line is ready") {
    ReadyPlan plan;
    plan.by_descriptor = true;
    plan.limit = 30s;
    CHECK(outcome_of(plan, "echo; exec sleep 1000").kind == Kind::ready);
    CHECK(outcome_of(plan, "exec sleep 1000 >/dev/null").kind == Kind::hung_up);
    plan.settle = 30s;
    CHECK(outcome_of(plan, "exit 0").kind == Kind::ended);
    plan.limit = 10ms;
    CHECK(outcome_of(plan, "printf part; exec sleep 1000").kind == Kind::timed_out);
}

TEST_CASE("all conditions must be met, and the first unmet one is named") {
    test::Scenario scenario;
    scenario.write_file("log", "up\n");
    ReadyPlan plan;
    plan.by_descriptor = true;
    plan.files = {"log"};
    plan.is_ready_line = is_up_line;
    plan.limit = 30s;
    CHECK(outcome_of(plan, "echo; echo up >>log; exec sleep 1000").kind == Kind::ready);
    plan.limit = 10ms;
    const auto outcome = outcome_of(plan, "echo; exec sleep 1000");
    CHECK(outcome.kind == Kind::timed_out);
}

TEST_CASE("a line that was in the log before does not count, and a part of a line neither") {
    test::Scenario scenario;
    scenario.write_file("log", "up\n");
    ReadyPlan plan;
    plan.files = {"log"};
    plan.is_ready_line = is_up_line;
    plan.limit = 50ms;
    CHECK(outcome_of(plan, "printf up >>log; exec sleep 1000").kind == Kind::timed_out);
    plan.limit = 30s;
    scenario.write_file("log", "old\n");
    CHECK(outcome_of(plan, "printf u >>log; echo p >>log; exec sleep 1000").kind == Kind::ready);
}

TEST_CASE("a daemon that notifies is ready") {
    if (std::system("command -v perl >/dev/null") != 0) return;
    ReadyPlan plan;
    plan.by_notification = true;
    plan.limit = 30s;
    const auto script = [](const std::string& text) {
        return "exec perl -MSocket -e 'socket(my $s, AF_UNIX, SOCK_DGRAM, 0); my $n = "
               "$ENV{NOTIFY_SOCKET}; $n =~ s/^@/\\0/; send($s, \"" +
               text + "\", 0, pack(\"S\", AF_UNIX) . $n) or die; sleep 1000'";
    };
    CHECK(outcome_of(plan, script("STATUS=fine\\nREADY=1")).kind == Kind::ready);
    plan.limit = 300ms;
    CHECK(outcome_of(plan, script("STATUS=READY=1")).kind == Kind::timed_out);
}
