#include "harness/hidden_proc.h"
#include "harness/scenario.h"
#include "harness/zombie.h"

#include "core/process_stat.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

Words words(const Words& options, const Words& command) {
    Words all{"reap-run"};
    all.insert(all.end(), options.begin(), options.end());
    all.emplace_back("--");
    all.insert(all.end(), command.begin(), command.end());
    return all;
}

// A daemon that writes its pid to the file NAME and ignores the signal IGNORED. The shell does this
// without another program, which could still be running when the command has ended.
std::string daemon(const std::string& name, const std::string& ignored = "''") {
    return fmt::format(
        "(setsid sh -c 'trap \"\" {1}; echo $$ >{0}; while :; do read line <end; done' "
        ">/dev/null 2>&1 &); until [ -s {0} ]; do :; done; ",
        name, ignored);
}

} // namespace

TEST_CASE("the status is the command's own, or 0 for one that is remapped") {
    Scenario scenario;
    const auto status = [&](const Words& options, const Words& command) {
        return scenario.run(words(options, command)).status;
    };
    CHECK(status({}, {"true"}) == 0);
    CHECK(status({}, {"sh", "-c", "exit 42"}) == 42);
    CHECK(status({}, {"sh", "-c", "kill -TERM $$"}) == 128 + SIGTERM);
    CHECK(status({}, {"no-such-command"}) == 127);
    CHECK(status({}, {"."}) == 126);
    CHECK(status({"-e", "42"}, {"sh", "-c", "exit 42"}) == 0);
    CHECK(status({"-e", "143", "-e", "42"}, {"sh", "-c", "kill -TERM $$"}) == 0);
    CHECK(status({"-e", "42"}, {"sh", "-c", "exit 43"}) == 43);
}

TEST_CASE("signals are passed on to the command, to its group, or rewritten") {
    Scenario scenario;
    for (const auto& [options, expected] :
         {std::pair{Words{}, SIGTERM}, std::pair{Words{"-g"}, SIGTERM},
          std::pair{Words{"-r", "TERM:USR1"}, SIGUSR1}}) {
        auto run = scenario.start(words(options, {"sh", "-c", "echo up; exec sleep 1000"}));
        REQUIRE(run.line() == "up");
        run.kill(SIGTERM);
        CHECK(run.wait().status == 128 + expected);
    }
}

TEST_CASE("orphans are waited for, so that none stays a zombie") {
    Scenario scenario;
    const auto script = "n=0; while [ $n -lt 20 ]; do (true & ) ; n=$((n + 1)); done; "
                        "read line";
    auto run = scenario.start(words({"-w"}, {"sh", "-c", script}));
    CHECK(run.error_line().starts_with("reap-run: orphan "));
    CHECK(eventually([&] { return test::children_of(run.pid()).size() == 1; }));
    run.close_input();
    CHECK(run.wait().status == 1);
}

TEST_CASE("processes that the command leaves behind are ended in stages") {
    Scenario scenario;
    REQUIRE(scenario.shell("mkfifo end").status == 0);
    const auto script = daemon("polite") + daemon("deaf", "TERM") + "exit 5";
    const auto result =
        scenario.run(words({"-v", "--kill-orphans", "TERM:0.1s,KILL"}, {"sh", "-c", script}));
    CHECK(result.status == 5);
    CHECK(result.err.find("reap-run: sent TERM to 2 orphans\n") != std::string::npos);
    CHECK(result.err.find(": killed by KILL\n") != std::string::npos);
    for (const char* name : {"polite", "deaf"})
        CHECK(ends(static_cast<pid_t>(std::stoi(scenario.read_file(name)))));
}

TEST_CASE("without stages, processes that the command leaves behind stay") {
    Scenario scenario;
    REQUIRE(scenario.shell("mkfifo end").status == 0);
    CHECK(scenario.run(words({}, {"sh", "-c", daemon("daemon") + "exit 5"})).status == 5);
    const auto stat =
        read_process_stat(static_cast<pid_t>(std::stoi(scenario.read_file("daemon"))));
    REQUIRE(stat);
    CHECK_FALSE(stat->has_ended());
}

TEST_CASE("processes left behind have time to end by themselves") {
    Scenario scenario;
    const auto script = "(setsid sh -c 'sleep 0.1; echo late >file' &) ; exit 0";
    CHECK(scenario.run(words({"--grace", "30"}, {"sh", "-c", script})).status == 0);
    CHECK(scenario.read_file("file") == "late\n");
}

TEST_CASE("a command line runs at the end, and a report has each process") {
    Scenario scenario;
    const auto result =
        scenario.run(words({"--on-exit", "echo status $STATUS", "--report", "log", "--grace", "30"},
                           {"sh", "-c", "(sh -c 'exit 3' &) ; exit 4"}));
    CHECK(result.status == 4);
    CHECK(result.out == "status 4\n");
    const auto log = scenario.read_file("log");
    CHECK(log.find(R"("name":"sh","status":4,"end":"exit 4","seconds":)") != std::string::npos);
    CHECK(log.find(R"("name":"sh","status":3,"end":"exit 3","seconds":)") != std::string::npos);
    CHECK(log.find("\"command\":true}\n") != std::string::npos);
    CHECK(log.find("\"command\":false}\n") != std::string::npos);
}

TEST_CASE("reap-run ends with its parent") {
    Scenario scenario;
    auto parent = scenario.start_shell(
        "reap-run -p TERM -- sh -c 'echo $$ >pid; echo up; exec sleep 1000' & wait");
    REQUIRE(parent.line() == "up");
    parent.kill(SIGKILL);
    CHECK(parent.wait().status == 137);
    CHECK(ends(static_cast<pid_t>(std::stoi(scenario.read_file("pid")))));
}

TEST_CASE(
    "reap-run is the init process of a PID namespace, with a thousand orphans and no zombie") {
    Scenario scenario;
    if (scenario.run({"unshare", "-pf", "--mount-proc", "true"}).status != 0) return;
    const auto script =
        "n=0; while [ $n -lt 1000 ]; do (true & ) ; n=$((n + 1)); done; "
        "until [ $(grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l) -eq 0 ]; "
        "do :; done; echo no zombie; kill -TERM $$";
    const auto result = scenario.run(
        {"unshare", "-pf", "--mount-proc", "reap-run", "-v", "--", "sh", "-c", script});
    CHECK(result.out == "no zombie\n");
    CHECK(result.status == 128 + SIGTERM);
}

TEST_CASE("the zombies of the machine are listed with the parents that do not wait for them") {
    Scenario scenario;
    const Zombie zombie{scenario};
    CHECK(scenario.run({"reap-run", "--list"})
              .out.find(fmt::format("{} (sh) is not waited for by {} (sleep)\n", zombie.pid,
                                    zombie.parent.pid())) != std::string::npos);
    CHECK(scenario.run({"reap-run", "--list", "-J"})
              .out.find(
                  fmt::format(R"({{"v":1,"pid":{},"name":"sh","parent":{},"parent_name":"sleep"}})",
                              zombie.pid, zombie.parent.pid())) != std::string::npos);
}

TEST_CASE("an invalid command line is refused") {
    Scenario scenario;
    CHECK(scenario.run({"reap-run"}).status == 2);
    CHECK(scenario.run({"reap-run", "--list", "true"}).status == 2);
    CHECK(scenario.run({"reap-run", "-r", "TERM", "true"}).status == 2);
    CHECK(scenario.run({"reap-run", "-J", "true"}).status == 2);
}

TEST_CASE("a command goes on although its report cannot be written") {
    Scenario scenario;
    const auto result = scenario.run(words(
        {"--report", "/dev/full"}, {"sh", "-c",
                                    "(sh -c 'echo $$ >orphan' &); until [ -s orphan ]; do :; done; "
                                    "while kill -0 $(cat orphan) 2>/dev/null; do :; done; "
                                    "echo alive; exit 4"}));
    CHECK(result.out == "alive\n");
    CHECK(result.status == 4);
    CHECK(result.err == "reap-run: cannot write /dev/full: No space left on device\n");
    CHECK(scenario.run(words({"--report", "/dev/full"}, {"true"})).status == 1);
}

TEST_CASE("a signal reaches the command line at the end, and cuts the wait for orphans short") {
    Scenario scenario;
    auto at_exit =
        scenario.start(words({"--on-exit", "echo up; exec sleep 1000"}, {"sh", "-c", "exit 4"}));
    REQUIRE(at_exit.line() == "up");
    at_exit.kill(SIGTERM);
    CHECK(at_exit.wait().status == 4);
    REQUIRE(scenario.shell("mkfifo end").status == 0);
    auto waiting = scenario.start(
        words({"--grace", "1000", "--kill-orphans", "KILL", "--on-exit", "echo over"},
              {"sh", "-c", daemon("daemon") + "exit 5"}));
    REQUIRE(waiting.line() == "over");
    waiting.kill(SIGTERM);
    CHECK(waiting.wait().status == 5);
    CHECK(ends(static_cast<pid_t>(std::stoi(scenario.read_file("daemon")))));
}

TEST_CASE("orphans that cannot be seen are left alone, and that is said") {
    Scenario scenario;
    if (!can_hide_proc(scenario)) return;
    REQUIRE(scenario.shell("mkfifo end").status == 0);
    const auto result = scenario.run(without_proc(
        "exec reap-run --kill-orphans KILL -- sh -c \"$1\"", {daemon("daemon") + "exit 5"}));
    CHECK(result.err == "reap-run: cannot end the orphans: there is no /proc\n");
    CHECK(result.status == 5);
}
