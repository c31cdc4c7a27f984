#include "harness/hidden_proc.h"
#include "harness/scenario.h"
#include "harness/time_limit.h"

#include "core/process_stat.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

Words words(const Words& options, const Words& command) {
    Words all{"timeout-run"};
    all.insert(all.end(), options.begin(), options.end());
    all.insert(all.end(), command.begin(), command.end());
    return all;
}

// Waits for the file NAME, and returns the pid in it.
pid_t pid_in(const Scenario& scenario, const std::string& name) {
    REQUIRE(eventually(
        [&] { return scenario.exists(name) && scenario.read_file(name).ends_with('\n'); }));
    return static_cast<pid_t>(std::stoi(scenario.read_file(name)));
}

// The time of the command is up as soon as it has printed a line, which its shell does after trap.
Result time_up_after_line(Scenario& scenario, Words options, const std::string& script) {
    options.emplace_back("100");
    auto run = scenario.start(words(options, {"sh", "-c", script}));
    CHECK(run.line() == "up");
    run.kill(SIGALRM);
    return run.wait();
}

} // namespace

TEST_CASE("a command that ends in time has its own status") {
    Scenario scenario;
    const auto status = [&](const Words& command) {
        return scenario.run(words({"100"}, command)).status;
    };
    CHECK(status({"true"}) == 0);
    CHECK(status({"sh", "-c", "exit 42"}) == 42);
    CHECK(status({"--", "sh", "-c", "kill -TERM $$"}) == 128 + SIGTERM);
    CHECK(status({"sh", "-c", "kill -KILL $$"}) == 128 + SIGKILL);
    CHECK(status({"."}) == 126);
    CHECK(status({"no-such-command"}) == 127);
    CHECK(scenario.run(words({"0"}, {"true"})).status == 0);
    CHECK(scenario.run(words({"100"}, {"no-such-command"})).err ==
          "timeout-run: cannot execute no-such-command: No such file or directory\n");
}

TEST_CASE("a command whose time is up ends by TERM, and the status says so") {
    Scenario scenario;
    CHECK(scenario.run(words({"0.01"}, {"sleep", "1000"})).status == 124);
    CHECK(scenario.run(words({"-s", "INT", "10ms"}, {"sleep", "1000"})).status == 124);
    CHECK(scenario.run(words({"-p", "10ms"}, {"sleep", "1000"})).status == 128 + SIGTERM);
    CHECK(scenario.run(words({"-s", "KILL", "10ms"}, {"sleep", "1000"})).status == 137);
    const auto told = scenario.run(words({"-v", "10ms"}, {"sleep", "1000"}));
    CHECK(told.err.starts_with("timeout-run: time is up after "));
    CHECK(told.err.find("s: sending TERM to sleep (") != std::string::npos);
}

TEST_CASE("a command that cleans up when its time is up may do so") {
    Scenario scenario;
    const auto script = "trap 'echo cleaned; exit 7' TERM; echo up; while :; do sleep 0.01; done";
    const auto plain = time_up_after_line(scenario, {}, script);
    CHECK(plain.status == 124);
    CHECK(plain.out == "cleaned\n");
    CHECK(time_up_after_line(scenario, {"-p"}, script).status == 7);
}

TEST_CASE("KILL comes when the command does not listen") {
    Scenario scenario;
    const auto script = "trap '' TERM INT; echo up; while :; do read line; done";
    const auto status = [&](const Words& options) {
        return time_up_after_line(scenario, options, script).status;
    };
    CHECK(status({"-k", "10ms"}) == 137);
    CHECK(status({"--stages", "TERM:1ms,INT:1ms,KILL"}) == 137);
    CHECK(status({"-pk", "10ms"}) == 137);
}

TEST_CASE("a stopped command ends as well") {
    Scenario scenario;
    CHECK(scenario.run(words({"0.1"}, {"sh", "-c", "kill -STOP $$"})).status == 124);
}

TEST_CASE("all that the command started ends, daemons too") {
    Scenario scenario;
    const auto script = "setsid sh -c '(sh -c \"echo \\$\\$ >daemon; exec sleep 1000\" &)'; "
                        "sh -c 'echo $$ >child; exec sleep 1000' & wait";
    auto run = scenario.start(words({"100"}, {"sh", "-c", script}));
    const auto daemon = pid_in(scenario, "daemon");
    const auto child = pid_in(scenario, "child");
    run.kill(SIGALRM); // the time is up now
    CHECK(run.wait().status == 124);
    CHECK(ends(daemon));
    CHECK(ends(child));
}

TEST_CASE("a daemon that ignores TERM gets KILL although the command has ended") {
    Scenario scenario;
    const auto script = "(setsid sh -c 'trap \"\" TERM; echo $$ >daemon; while :; do read line; "
                        "done' &) ; sleep 1000";
    auto run = scenario.start(words({"-k", "1s", "100"}, {"sh", "-c", script}));
    const auto daemon = pid_in(scenario, "daemon");
    run.kill(SIGALRM);
    CHECK(run.wait().status == 124);
    CHECK(ends(daemon));
}

TEST_CASE("a process that a command leaves running when it ends in time stays") {
    Scenario scenario;
    const auto script = "sh -c 'echo $$ >child; exec sleep 1000' >/dev/null 2>&1 & "
                        "until [ -s child ]; do :; done";
    CHECK(scenario.run(words({"100"}, {"sh", "-c", script})).status == 0);
    const auto stat = read_process_stat(pid_in(scenario, "child"));
    REQUIRE(stat);
    CHECK_FALSE(stat->has_ended());
}

TEST_CASE("a signal is passed on, and -k counts from it") {
    Scenario scenario;
    auto run = scenario.start(words({"100"}, {"sh", "-c", "echo up; exec sleep 1000"}));
    REQUIRE(run.line() == "up");
    run.kill(SIGHUP);
    CHECK(run.wait().status == 128 + SIGHUP);
    auto stubborn = scenario.start(
        words({"-k", "10ms", "100"},
              {"sh", "-c", "trap 'echo got' TERM; echo up; while :; do read x; done"}));
    REQUIRE(stubborn.line() == "up");
    stubborn.kill(SIGTERM);
    CHECK(stubborn.wait().status == 137);
}

TEST_CASE("a command dies with us when we are killed") {
    Scenario scenario;
    auto run = scenario.start(words({"100"}, {"sh", "-c", "echo $$ >pid; exec sleep 1000"}));
    const auto pid = pid_in(scenario, "pid");
    run.kill(SIGKILL);
    CHECK(run.wait().status == 137);
    CHECK(ends(pid));
}

TEST_CASE("an idle command ends, and one that works does not") {
    Scenario scenario;
    const auto idle = scenario.run(words({"-v", "--idle", "0.1", "0"}, {"sleep", "1000"}));
    CHECK(idle.status == 124);
    CHECK(idle.err.starts_with("timeout-run: idle after "));
    // The command works for longer than the limit, and then ends by itself.
    const auto busy = [&](const std::string& limit) {
        return scenario
            .run(words({"--idle", limit, "0"},
                       {"sh", "-c",
                        fmt::format("end=$(($(date +%s%N) + 2 * {})); "
                                    "while [ $(date +%s%N) -lt $end ]; do :; done",
                                    limit == "100ms" ? "100000000" : "1000000000")}))
            .status;
    };
    CHECK(with_time_limit(busy, [](int status) { return status == 0; }) == 0);
}

TEST_CASE("the report is a line of JSON") {
    Scenario scenario;
    CHECK(scenario.run(words({"--report", "log", "100"}, {"sh", "-c", "exit 3"})).status == 3);
    CHECK(
        scenario.read_file("log").starts_with(R"({"v":1,"outcome":"ended","status":3,"seconds":)"));
    CHECK(scenario.read_file("log").ends_with(",\"sent\":null}\n"));
    CHECK(scenario.run(words({"--report", "log", "10ms"}, {"sleep", "1000"})).status == 124);
    const auto log = scenario.read_file("log");
    CHECK(log.find(R"({"v":1,"outcome":"timeout","status":143,)") != std::string::npos);
    CHECK(log.ends_with(",\"sent\":\"TERM\"}\n"));
}

TEST_CASE("the command has our input, output and arguments") {
    Scenario scenario;
    const auto result = scenario.run(
        words({"100"}, {"sh", "-c", "cat; echo $# \"$@\" >&2", "sh", "-k", "--", "a b"}),
        "input\n");
    CHECK(result.out == "input\n");
    CHECK(result.err == "3 -k -- a b\n");
}

TEST_CASE("an invalid command line is refused before anything runs") {
    Scenario scenario;
    CHECK(scenario.run({"timeout-run", "10"}).err ==
          "timeout-run: COMMAND is missing (see timeout-run --help)\n");
    CHECK(scenario.run({"timeout-run"}).status == 2);
    CHECK(scenario.run({"timeout-run", "x", "true"}).status == 2);
    CHECK(
        scenario.run({"timeout-run", "--stages", "TERM,KILL", "1", "true"}).err ==
        "timeout-run: --stages 'TERM,KILL': expected how long to wait after TERM, such as TERM:10s "
        "(see timeout-run --help)\n");
    CHECK(scenario.run({"timeout-run", "-k", "1", "--stages", "KILL", "1", "true"}).status == 2);
    CHECK(scenario.run({"timeout-run", "-s", "INT", "--stages", "KILL", "1", "true"}).status == 2);
    CHECK(scenario.run({"timeout-run", "--report", "", "1", "true"}).err ==
          "timeout-run: --report '': expected the name of a file (see timeout-run --help)\n");
}

TEST_CASE("a command ends in time where nobody can see its descendants") {
    Scenario scenario;
    if (!can_hide_proc(scenario)) return;
    // The /proc of another PID namespace shows other processes with our numbers.
    CHECK(scenario.run(with_foreign_proc({"timeout-run", "10ms", "sleep", "1000"})).status == 124);
    CHECK(scenario.run(without_proc("exec timeout-run 10ms sleep 1000")).status == 124);
    const auto idle = scenario.run(without_proc("exec timeout-run --idle 10ms 0 sleep 1000"));
    CHECK(idle.status == 125);
    CHECK(idle.err == "timeout-run: cannot use --idle: there is no /proc\n");
}

TEST_CASE("the signal of the limit reaches a command although the caller ignores or blocks it") {
    Scenario scenario;
    const Words limited{"timeout-run", "10ms", "sleep", "1000"};
    for (const std::string option : {"--ignore", "--block"}) {
        Words all{"signal-run", option, "TERM", "--"};
        all.insert(all.end(), limited.begin(), limited.end());
        CHECK(scenario.run(all).status == 124);
    }
    // The other signals are unchanged.
    const auto shown = scenario.run({"signal-run", "--ignore", "TERM,HUP", "--block", "USR1,TERM",
                                     "timeout-run", "100", "signal-show", "--self"});
    CHECK(shown.out.find("ignored  HUP\n") != std::string::npos);
    CHECK(shown.out.find("blocked  USR1\n") != std::string::npos);
}

TEST_CASE("a report that cannot be written does not hide how the command ended") {
    Scenario scenario;
    const auto status = [&](const std::string& report, const std::string& script) {
        return scenario.run(words({"--report", report, "100"}, {"sh", "-c", script})).status;
    };
    CHECK(status("/dev/full", "exit 3") == 3);
    CHECK(status("/dev/full", "exit 0") == 1);
    CHECK(status("no/such/directory", "exit 3") == 3);
    // At the file limit, the kernel would kill us, and we would report nothing.
    const auto limited =
        scenario.shell("ulimit -f 0; timeout-run --report log 100 sh -c 'exit 3' 2>&1 | cat; "
                       "timeout-run --report log 100 sh -c 'exit 3' 2>/dev/null");
    CHECK(limited.out == "timeout-run: cannot write log: File too large\n");
    CHECK(limited.status == 3);
}

TEST_CASE("a tiny limit is a limit, and not none") {
    Scenario scenario;
    for (const char* tiny : {"0.0000000001", "1e-400", "0x1p-9"})
        CHECK(scenario.run(words({tiny}, {"sleep", "1000"})).status == 124);
    CHECK(scenario.run(words({"inf"}, {"true"})).status == 0);
}
