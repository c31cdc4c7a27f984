#include "core/user.h"
#include "harness/scenario.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

using namespace ipcbox::test;

namespace {

// The names of the signals that a command ignores or blocks when signal-run starts it with OPTIONS.
std::string names(Scenario& scenario, const Words& options, const std::string& field) {
    Words words{"signal-run"};
    words.insert(words.end(), options.begin(), options.end());
    for (const char* word : {"--", "grep"})
        words.emplace_back(word);
    words.push_back(field);
    words.emplace_back("/proc/self/status");
    const auto line = scenario.run(words).out;
    return scenario.run({"signal-list", "--mask", line.substr(8, 16)}).out;
}

// Starts a command that says "up" when it can get a signal.
Process start(Scenario& scenario, Words options, const std::string& script) {
    options.insert(options.begin(), "signal-run");
    for (const char* word : {"--", "sh", "-c"})
        options.emplace_back(word);
    options.push_back(script);
    auto process = scenario.start(options);
    REQUIRE(process.line() == "up");
    return process;
}

} // namespace

TEST_CASE("the command starts with signals ignored, blocked, or as they are by default") {
    Scenario scenario;
    CHECK(names(scenario, {"--ignore", "HUP,USR1"}, "SigIgn") == "HUP USR1\n");
    CHECK(names(scenario, {"--ignore", "HUP", "--ignore=USR1"}, "SigIgn") == "HUP USR1\n");
    CHECK(names(scenario, {"--block", "TERM"}, "SigBlk") == "TERM\n");
    CHECK(names(scenario, {"--ignore", "HUP,INT", "--default", "INT"}, "SigIgn") == "HUP INT\n");
    const auto reset = scenario.shell(
        "trap '' HUP USR1 TERM; signal-run --default all -- grep SigIgn /proc/self/status");
    CHECK(reset.out == "SigIgn:\t0000000000000000\n");
}

TEST_CASE("with dispositions alone, signal-run becomes the command") {
    Scenario scenario;
    auto command = scenario.start({"signal-run", "--ignore", "HUP", "sh", "-c", "echo $$"});
    CHECK(command.line() == fmt::format("{}", command.pid()));
    CHECK(scenario.run({"signal-run", "sh", "-c", "exit 42"}).status == 42);
    CHECK(scenario.run({"signal-run", "no-such-command"}).status == 127);
    CHECK(scenario.run({"signal-run", "."}).status == 126);
}

TEST_CASE("a signal is rewritten or dropped") {
    Scenario scenario;
    auto rewritten = start(scenario, {"--rewrite", "TERM:QUIT"}, "echo up; exec sleep 1000");
    rewritten.kill(SIGTERM);
    CHECK(rewritten.wait().status == 128 + SIGQUIT);
    auto dropping = start(scenario, {"--rewrite", "TERM:0", "--log"}, "echo up; read line; exit 3");
    dropping.kill(SIGTERM);
    CHECK(dropping.error_line().starts_with("signal-run: got TERM from "));
    dropping.close_input();
    CHECK(dropping.wait().status == 3);
}

TEST_CASE("a signal is answered by a command line, and the command does not get it") {
    Scenario scenario;
    auto command = start(scenario, {"--on", "USR1=echo $SIGNAL $SIGNAL_PID", "--on", "TERM=false"},
                         "echo up; echo $$; read line; exit 5");
    const auto pid = command.line();
    command.kill(SIGTERM);
    command.kill(SIGUSR1);
    CHECK(command.line() == "USR1 " + pid);
    command.close_input();
    CHECK(command.wait().status == 5);
}

TEST_CASE("the log names the sender of each signal, which is passed on") {
    Scenario scenario;
    auto command = start(scenario, {"--log"},
                         "trap 'echo got; exit 7' TERM; echo up; "
                         "while :; do sleep 0.01; done");
    auto sender =
        scenario.start_shell(fmt::format("kill -TERM {}; echo $$; read line", command.pid()));

    const auto pid = sender.line();
    CHECK(command.error_line().starts_with(fmt::format("signal-run: got TERM from {} (sh, ", pid)));
    CHECK(command.wait().status == 7);
}

TEST_CASE("-J describes the sender of each signal in an object") {
    Scenario scenario;
    auto command = start(scenario, {"-J"},
                         "trap 'echo got; exit 7' TERM; echo up; "
                         "while :; do sleep 0.01; done");
    auto sender =
        scenario.start_shell(fmt::format("kill -TERM {}; echo $$; read line", command.pid()));
    const auto pid = sender.line();
    CHECK(command.error_line() ==
          fmt::format(R"({{"v":1,"signal":"TERM","kernel":false,"pid":{},"uid":{},"user":"{}",)"
                      R"("name":"sh"}})",
                      pid, ::getuid(), ipcbox::user_name(::getuid())));
    CHECK(command.wait().status == 7);
}

TEST_CASE("signals can be ignored for a time only") {
    Scenario scenario;
    auto command = start(scenario, {"--ignore", "TERM", "--ignore-for", "1h", "--log"},
                         "echo up; read line; exit 6");
    command.kill(SIGTERM);
    CHECK(command.error_line().starts_with("signal-run: got TERM from "));
    command.close_input();
    CHECK(command.wait().status == 6);
    auto later =
        start(scenario, {"--ignore", "TERM", "--ignore-for", "0"}, "echo up; exec sleep 1000");
    later.kill(SIGTERM);
    CHECK(later.wait().status == 128 + SIGTERM);
}

TEST_CASE("an invalid command line is refused") {
    Scenario scenario;
    CHECK(scenario.run({"signal-run"}).status == 2);
    CHECK(scenario.run({"signal-run", "--ignore", "KILL", "true"}).err ==
          "signal-run: --ignore 'KILL': KILL cannot be ignored, blocked or caught "
          "(see signal-run --help)\n");
    CHECK(scenario.run({"signal-run", "--ignore", "TREM", "true"}).status == 2);
    CHECK(scenario.run({"signal-run", "--on", "TERM", "true"}).status == 2);
    CHECK(scenario.run({"signal-run", "--rewrite", "TERM", "true"}).status == 2);
    CHECK(scenario.run({"signal-run", "--ignore-for", "1s", "true"}).status == 2);
}
