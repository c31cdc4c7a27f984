#include "process/supervise.h"

#include "harness/scenario.h"
#include "process/tree.h"

#include <csignal>
#include <doctest/doctest.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::process;
using namespace std::chrono_literals;

namespace {

using Words = std::vector<std::string>;

WaitStatus status_of(const std::string& script, SupervisePlan plan = {}) {
    return supervise("/bin/sh", Words{"sh", "-c", script}, std::move(plan));
}

} // namespace

TEST_CASE("the status is the command's own") {
    CHECK(status_of("exit 3").as_exit_status() == 3);
    CHECK(status_of("kill -KILL $$").signal() == SIGKILL);
    CHECK(status_of("kill -TERM $$").signal() == SIGTERM);
}

TEST_CASE("a signal to us is passed on, or rewritten, or dropped") {
    const std::string wait = "while :; do sleep 1; done";
    CHECK(status_of("kill -TERM $PPID; " + wait).signal() == SIGTERM);
    CHECK(status_of("kill -TERM $PPID; " + wait, {.rewrites = {{SIGTERM, SIGUSR1}}}).signal() ==
          SIGUSR1);
    CHECK(status_of("kill -USR1 $PPID; exit 4", {.rewrites = {{SIGUSR1, 0}}}).as_exit_status() ==
          4);
    std::vector<int> seen;
    pid_t sender = 0;
    const auto status = status_of("kill -USR2 $PPID; exit 5", {.on_signal = [&](const auto& event) {
                                      seen.push_back(event.number);
                                      sender = event.sender;
                                      return false;
                                  }});
    CHECK(status.as_exit_status() == 5);
    CHECK(seen == std::vector{SIGUSR2});
    CHECK(sender > 0);
}

TEST_CASE("the signals of our own writes do not reach the command") {
    Supervised command{"/bin/sh", Words{"sh", "-c", "sleep 1000"}, {}};
    ::kill(::getpid(), SIGPIPE);
    ::kill(::getpid(), SIGXFSZ);
    ::kill(::getpid(), SIGTERM);
    CHECK(command.wait()->signal() == SIGTERM);
}

TEST_CASE("the command has a group of its own, unless it is to have ours") {
    const std::string script = "read pid name state parent group rest </proc/$$/stat; ";
    CHECK(status_of(script + "[ $group -eq $$ ]").succeeded());
    CHECK(
        status_of(script + "[ $group -ne $$ ]", {.group = SupervisePlan::Group::ours}).succeeded());
}

TEST_CASE("a limit that passes is reported, and the command can be signalled") {
    Supervised command{"/bin/sh", Words{"sh", "-c", "sleep 1000"}, {}};
    command.set_limit(Deadline::after(1ms));
    CHECK_FALSE(command.wait());
    CHECK(command.signal(SIGTERM) == 1);
    command.set_limit(Deadline::never());
    CHECK(command.wait()->signal() == SIGTERM);
}

TEST_CASE("a whole tree ends, even processes that left the group and their parent") {
    test::Scenario scenario;
    std::size_t ends = 0;
    Supervised command{
        "/bin/sh",
        Words{"sh", "-c",
              "(setsid sh -c 'echo >a; sleep 1000' &) ; setsid -f sh -c 'echo >b; sleep 1000'; "
              "sleep 1000"},
        {.extent = SupervisePlan::Extent::tree, .on_end = [&](const EndedChild&) { ++ends; }}};
    REQUIRE(test::eventually([&] { return scenario.exists("a") && scenario.exists("b"); }));
    CHECK(command.signal(SIGKILL) >= 3);
    CHECK(command.wait_for_all());
    CHECK(command.status()->signal() == SIGKILL);
    CHECK(ends >= 3);
    CHECK(descendants_of(::getpid()).empty());
}

TEST_CASE("the command dies with us, even if we are killed") {
    test::Scenario scenario;
    Child supervisor = fork_child([] {
        (void)status_of("echo $$ >new; mv new pid; exec sleep 1000");
        return 0;
    });
    REQUIRE(test::eventually([&] { return scenario.exists("pid"); }));
    const auto pid = static_cast<pid_t>(std::stoi(scenario.read_file("pid")));
    supervisor.kill(SIGKILL);
    CHECK(supervisor.wait().signal() == SIGKILL);
    CHECK(test::ends(pid));
}
