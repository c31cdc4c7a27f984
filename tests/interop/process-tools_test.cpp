// timeout(1), flock(1), kill(1) and env(1) beside our applets: the same command line has the same
// status and the same output.
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox::test;

namespace {

Words behind(const Words& tool, const Words& line) {
    Words words = tool;
    words.insert(words.end(), line.begin(), line.end());
    return words;
}

// Runs LINE after the words THEIRS and after the words OURS, with the same input. The tools' own
// error messages may differ.
void compare(Scenario& scenario, const Words& theirs, const Words& ours,
             const std::vector<Words>& command_lines) {
    for (const auto& line : command_lines) {
        std::string text = theirs.front();
        for (const auto& word : line)
            text += " " + word;
        CAPTURE(text);
        const auto expected = scenario.run(behind(theirs, line), "input\n");
        const auto result = scenario.run(behind(ours, line), "input\n");
        CHECK(result.status == expected.status);
        CHECK(result.out == expected.out);
    }
}

const Words talk{"sh", "-c", "echo out; echo err >&2; cat; exit 7"};

Words with(Words options, const Words& command) {
    options.insert(options.end(), command.begin(), command.end());
    return options;
}

} // namespace

TEST_CASE("timeout-run has the statuses of timeout") {
    Scenario scenario;
    const Words forever{"tail", "-f", "/dev/null"};
    // Once these two are ready, and the tool waits, they tell it with ALRM that the time is up.
    const std::string time_is_up =
        "until grep -q '^State:.S' /proc/$PPID/status; do :; done; kill -ALRM $PPID; "
        "while :; do read line; done";
    const Words deaf{"sh", "-c", "trap '' TERM; " + time_is_up};
    const Words cleaning{"sh", "-c", "trap 'echo bye; exit 9' TERM; " + time_is_up};
    compare(scenario, {"timeout"}, {"timeout-run"},
            {with({"10"}, talk),
             with({"10s"}, talk),
             with({"1m"}, talk),
             with({"1h"}, talk),
             with({"1d"}, talk),
             with({"0"}, talk),
             with({"100.5"}, {"true"}),
             with({"--"}, {"10", "true"}),
             with({"99999999999d"}, {"true"}),
             {"10", "false"},
             {"10", "."},
             {"10", "no-such-command"},
             {"10", "./none/such"},
             {"10", "sh", "-c", "exit 124"},
             {"10", "sh", "-c", "exit 255"},
             {"10", "sh", "-c", "kill -TERM $$"},
             {"10", "sh", "-c", "kill -KILL $$"},
             {"10", "sh", "-c", "kill -INT $$"},
             {"10", "sh", "-c", "echo $1", "sh", "-k"},
             with({"0.02"}, forever),
             with({"-s", "INT", "0.02"}, forever),
             with({"-s", "SIGHUP", "0.02"}, forever),
             with({"-s", "9", "0.02"}, forever),
             with({"-sKILL", "0.02"}, forever),
             with({"--signal=USR1", "0.02"}, forever),
             with({"--preserve-status", "0.02"}, forever),
             with({"--preserve-status", "-s", "INT", "0.02"}, forever),
             with({"--preserve-status", "-s", "KILL", "0.02"}, forever),
             with({"--foreground", "0.02"}, forever),
             with({"--foreground", "10"}, talk),
             with({"-k", "0.02", "1000"}, deaf),
             with({"--kill-after=0.02", "1000"}, deaf),
             with({"-k", "0", "0.02"}, forever),
             with({"-k", "10", "0.02"}, forever),
             with({"-k", "0.02", "--preserve-status", "1000"}, deaf),
             with({"1000"}, cleaning),
             with({"--preserve-status", "1000"}, cleaning),
             {"0.02", "sh", "-c", "kill -STOP $$"}});
}

TEST_CASE("lock-run has the statuses of flock") {
    Scenario scenario;
    const Words both{"sh", "-c", "echo in; exit 3"};
    compare(scenario, {"flock"}, {"lock-run"},
            {with({"lock"}, talk),
             with({"-x", "lock"}, both),
             with({"-s", "lock"}, both),
             with({"--shared", "lock"}, both),
             with({"-n", "lock"}, both),
             with({"--nonblock", "lock"}, both),
             with({"--nb", "lock"}, both),
             with({"--timeout", "0.1", "lock"}, both),
             with({"-w", "1", "lock"}, both),
             with({"--wait", "1", "lock"}, both),
             with({"-E", "75", "-n", "lock"}, both),
             with({"-o", "lock"}, both),
             with({"--close", "lock"}, talk),
             with({"-F", "lock"}, both),
             with({"."}, both),
             {"lock", "-c", "echo $((40 + 2)); exit 4"},
             {"-n", "lock", "-c", "exit 4"},
             {"lock", "sh", "-c", "kill -TERM $$"},
             {"lock", "sh", "-c", "echo $1", "sh", "-n"},
             {"lock", "true"}});
    auto holder = scenario.start({"flock", "lock", "sh", "-c", "echo in; read line"});
    REQUIRE(holder.line() == "in");
    compare(scenario, {"flock"}, {"lock-run"},
            {with({"-n", "lock"}, both), with({"-n", "-s", "lock"}, both),
             with({"-n", "-E", "75", "lock"}, both), with({"-n", "-E", "0", "lock"}, both),
             with({"-w", "0", "lock"}, both), with({"-w", "0.02", "lock"}, both),
             with({"-w", "0.02", "-E", "9", "lock"}, both), with({"-n", "other"}, both)});
}

TEST_CASE("lock-run and flock wait for each other") {
    Scenario scenario;
    for (const auto& [first, second] :
         {std::pair{"flock", "lock-run"}, std::pair{"lock-run", "flock"}}) {
        auto holder = scenario.start({first, "lock", "sh", "-c", "echo in; read line; exit 0"});
        REQUIRE(holder.line() == "in");
        CHECK(scenario.run({second, "-n", "lock", "true"}).status == 1);
        auto waiter = scenario.start({second, "lock", "echo", "mine"});
        holder.close_input();
        CHECK(waiter.line() == "mine");
    }
}

TEST_CASE("a descriptor is locked and unlocked as with flock") {
    Scenario scenario;
    for (const char* tool : {"flock", "lock-run"}) {
        const auto result =
            scenario.shell("exec 9>lock; $1 -n 9; echo $?; flock -n lock true; "
                           "echo $?; $1 -u 9; echo $?; flock -n lock true; echo $?; "
                           "$1 -s 9; echo $?; flock -ns lock true; echo $?",
                           {tool});
        CHECK(result.out == "0\n1\n0\n0\n0\n0\n");
    }
}

TEST_CASE("signal-run leaves signals as env and nohup do") {
    Scenario scenario;
    const Words show{"grep", "-E", "Sig(Ign|Blk)", "/proc/self/status"};
    for (const auto& [theirs, ours] :
         {std::pair{Words{"env", "--ignore-signal=HUP"}, Words{"signal-run", "--ignore", "HUP"}},
          std::pair{Words{"env", "--ignore-signal=HUP,INT"},
                    Words{"signal-run", "--ignore", "HUP,INT"}},
          std::pair{Words{"env", "--block-signal=TERM"}, Words{"signal-run", "--block", "TERM"}},
          std::pair{Words{"nohup"}, Words{"signal-run", "--ignore", "HUP"}}})
        compare(scenario, theirs, ours, {show, {"sh", "-c", "exit 6"}, {"no-such-command"}, {"."}});
    const auto reset = "trap '' HUP TERM; exec \"$@\"";
    CHECK(scenario.shell(reset, behind({"signal-run", "--default", "all", "--"}, show)).out ==
          scenario.shell(reset, behind({"env", "--default-signal"}, show)).out);
}

TEST_CASE("reap-run has the statuses of tini and dumb-init") {
    Scenario scenario;
    const std::vector<Words> commands{
        talk,
        {"true"},
        {"sh", "-c", "exit 143"},
        {"sh", "-c", "kill -TERM $$"},
        {"sh", "-c", "kill -KILL $$"},
        {"sh", "-c", "(exit 3 &) ; exit 4"},
        {"sh", "-c", "kill -TERM $PPID; while :; do read line; done"}};
    compare(scenario, {"tini", "-s", "--"}, {"reap-run", "--"}, commands);
    compare(scenario, {"tini", "-s", "-g", "--"}, {"reap-run", "-g", "--"}, commands);
    compare(scenario, {"tini", "-s", "-e", "143", "--"}, {"reap-run", "-e", "143", "--"}, commands);
    compare(scenario, {"dumb-init"}, {"reap-run", "-g", "--"}, commands);
    compare(scenario, {"dumb-init", "-c"}, {"reap-run", "--"}, commands);
    compare(scenario, {"dumb-init", "-r", "15:3"}, {"reap-run", "-g", "-r", "15:3"},
            {{"sh", "-c", "kill -TERM $PPID; while :; do read line; done"}});
}

TEST_CASE("signal-list agrees with the shell's kill -l") {
    Scenario scenario;
    for (int number = 1; number < 32; ++number) {
        const auto name = scenario.run({"bash", "-c", fmt::format("kill -l {}", number)}).out;
        const auto ours = scenario.run({"signal-list", fmt::format("{}", number)}).out;
        CHECK((ours == name || (ours == "POLL\n" && name == "IO\n")));
        CHECK(scenario.run({"signal-list", name.substr(0, name.size() - 1)}).out ==
              fmt::format("{}\n", number));
        CHECK(scenario.run({"signal-list", fmt::format("{}", 128 + number)}).out == ours);
    }
}
