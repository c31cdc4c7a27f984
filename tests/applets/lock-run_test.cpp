#include "harness/scenario.h"

#include <csignal>
#include <cstdio>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/syscall.h>

using namespace ipcbox::test;

namespace {

// A command that says "in" and waits for the end of its input.
Process hold(Scenario& scenario, const Words& options = {}) {
    Words words{"lock-run"};
    words.insert(words.end(), options.begin(), options.end());
    for (const char* word : {"lock", "sh", "-c", "echo in; read line; exit 0"})
        words.emplace_back(word);
    auto holder = scenario.start(words);
    REQUIRE(holder.line() == "in");
    return holder;
}

bool waits(const Process& process) {
    return eventually([&] { return is_blocked_in(process.pid(), SYS_flock); });
}

} // namespace

TEST_CASE("the status is the command's own, and the lock is free after it") {
    Scenario scenario;
    const auto status = [&](const Words& command) {
        Words words{"lock-run", "lock"};
        words.insert(words.end(), command.begin(), command.end());
        const int result = scenario.run(words).status;
        CHECK(scenario.run({"lock-run", "-n", "lock", "true"}).status == 0);
        return result;
    };
    CHECK(status({"true"}) == 0);
    CHECK(status({"--", "sh", "-c", "exit 42"}) == 42);
    CHECK(status({"sh", "-c", "kill -TERM $$"}) == 128 + SIGTERM);
    CHECK(status({"."}) == 126);
    CHECK(status({"no-such-command"}) == 127);
}

TEST_CASE("a command that is not there leaves no lock file behind") {
    Scenario scenario;
    CHECK(scenario.run({"lock-run", "lock", "no-such-command"}).err ==
          "lock-run: cannot execute no-such-command: No such file or directory\n");
    CHECK_FALSE(scenario.exists("lock"));
}

TEST_CASE("the command is the process that lock-run was, and has its input and arguments") {
    Scenario scenario;
    const auto result = scenario.run(
        {"lock-run", "lock", "sh", "-c", "cat; echo $# \"$@\"", "sh", "-n", "--", "a b"},
        "input\n");
    CHECK(result.out == "input\n3 -n -- a b\n");
    auto holder = scenario.start({"lock-run", "lock", "sh", "-c", "echo $$"});
    CHECK(holder.line() == fmt::format("{}", holder.pid()));
}

TEST_CASE("a taken lock is reported with its holder") {
    Scenario scenario;
    auto holder = hold(scenario);
    const auto busy = scenario.run({"lock-run", "-n", "lock", "true"});
    CHECK(busy.status == 1);
    CHECK(busy.err.starts_with(fmt::format("lock-run: lock is locked by {} (sh, ", holder.pid())));
    CHECK(scenario.run({"lock-run", "-nq", "lock", "true"}).err.empty());
    CHECK(scenario.run({"lock-run", "-n", "-E", "75", "lock", "true"}).status == 75);
    CHECK(scenario.run({"lock-run", "-n", "-E", "0", "lock", "true"}).status == 0);
    CHECK(scenario.run({"lock-run", "-w", "20ms", "lock", "true"}).status == 1);
    CHECK(scenario.run({"lock-run", "-w", "0", "lock", "true"}).status == 1);
}

TEST_CASE("a waiter gets the lock when the holder ends, even by KILL") {
    Scenario scenario;
    auto holder = hold(scenario);
    auto waiter = scenario.start({"lock-run", "-v", "lock", "echo", "mine"});
    CHECK(waiter.error_line().starts_with(
        fmt::format("lock-run: waiting for {} (sh, ", holder.pid())));
    REQUIRE(waits(waiter));
    holder.kill(SIGKILL);
    CHECK(waiter.line() == "mine");
    CHECK(waiter.wait().status == 0);
    auto patient = hold(scenario);
    auto limited = scenario.start({"lock-run", "-w", "30", "lock", "echo", "mine"});
    patient.close_input();
    CHECK(limited.line() == "mine");
}

TEST_CASE("shared locks are shared, and exclude exclusive ones") {
    Scenario scenario;
    auto one = hold(scenario, {"-s"});
    auto two = hold(scenario, {"--shared"});
    CHECK(scenario.run({"lock-run", "-nq", "-x", "lock", "true"}).status == 1);
    one.close_input();
    two.close_input();
    CHECK(one.wait().status == 0);
    CHECK(two.wait().status == 0);
    auto exclusive = hold(scenario, {"-x"});
    CHECK(scenario.run({"lock-run", "-nq", "-s", "lock", "true"}).status == 1);
}

TEST_CASE("a process that the command leaves running keeps the lock, unless --close is given") {
    Scenario scenario;
    const auto daemon =
        "setsid -f sh -c 'echo up >fifo; read line <end' >/dev/null 2>&1; read l <fifo";
    REQUIRE(scenario.shell("mkfifo fifo end").status == 0);
    CHECK(scenario.run({"lock-run", "lock", "sh", "-c", daemon}).status == 0);
    CHECK(scenario.run({"lock-run", "-nq", "lock", "true"}).status == 1);
    CHECK(scenario.shell("echo >end").status == 0);
    CHECK(scenario.run({"lock-run", "-w", "30", "lock", "true"}).status == 0);
    CHECK(scenario.run({"lock-run", "--close", "lock", "sh", "-c", daemon}).status == 0);
    CHECK(scenario.run({"lock-run", "-n", "lock", "true"}).status == 0);
    CHECK(scenario.run({"lock-run", "-o", "lock", "sh", "-c", "exit 5"}).status == 5);
    CHECK(scenario.shell("echo >end").status == 0);
}

TEST_CASE("a descriptor of the script's is locked and unlocked") {
    Scenario scenario;
    const auto result = scenario.shell("exec 9>lock; lock-run 9 || exit; "
                                       "lock-run -nq lock true; echo $?; lock-run -u 9; "
                                       "lock-run -n lock true; echo $?");
    CHECK(result.out == "1\n0\n");
    const auto closed = scenario.run({"lock-run", "77"});
    CHECK(closed.status == 1);
    CHECK(closed.err == "lock-run: cannot lock descriptor 77: Bad file descriptor\n");
    CHECK(scenario.run({"lock-run", "-u", "77"}).err ==
          "lock-run: cannot unlock descriptor 77: Bad file descriptor\n");
    CHECK(scenario.run({"lock-run", "lock"}).status == 2);
    CHECK(scenario.run({"lock-run", "-u", "9", "true"}).status == 2);
}

TEST_CASE("a command line is run by a shell") {
    Scenario scenario;
    const auto result =
        scenario.run({"env", "SHELL=/bin/sh", "lock-run", "lock", "-c", "echo $((1+1))"});
    CHECK(result.out == "2\n");
    CHECK(scenario.run({"env", "-u", "SHELL", "lock-run", "-c", "exit 3", "lock"}).status == 3);
    CHECK(scenario.run({"lock-run", "lock", "-c", "true", "--", "true"}).status == 2);
}

TEST_CASE("a lock that this process holds already is refused immediately") {
    Scenario scenario;
    const auto result = scenario.run({"lock-run", "lock", "lock-run", "lock", "true"});
    CHECK(result.status == 125);
    const auto error = "lock-run: cannot lock lock: this process holds the lock already, so it "
                       "would wait for itself\n";
    CHECK(result.err == error);
    CHECK(scenario.shell("exec 9>lock; flock 9; exec lock-run lock true").err == error);
    CHECK(scenario.run({"lock-run", "lock", "lock-run", "-n", "lock", "true"}).status == 1);
}

TEST_CASE("a lock that our own ancestor holds is reported immediately") {
    Scenario scenario;
    const auto result =
        scenario.run({"lock-run", "lock", "sh", "-c", "lock-run -w 10ms lock true"});
    CHECK(result.status == 1);
    CHECK(result.err.starts_with("lock-run: warning: lock is locked by "));
    CHECK(result.err.find(
              "which started this process: if it waits for lock-run, neither will ever end\n") !=
          std::string::npos);
}

TEST_CASE("the holder of a lock whose taker has ended is the process that inherited it") {
    Scenario scenario;
    const auto own = scenario.shell("exec 9>lock; flock 9; lock-run -w 10ms lock true; exit $?");
    CHECK(own.status == 1);
    CHECK(own.err.starts_with("lock-run: warning: lock is locked by "));
    CHECK(own.err.find(" (sh, ") != std::string::npos);
    CHECK(own.err.find("which started this process") != std::string::npos);
    auto holder = scenario.start_shell("exec 9>lock; flock 9; echo in; read line");
    REQUIRE(holder.line() == "in");
    const auto other = scenario.run({"lock-run", "-n", "lock", "true"});
    CHECK(other.status == 1);
    CHECK(other.err.starts_with(fmt::format("lock-run: lock is locked by {} (sh, ", holder.pid())));
}

TEST_CASE("a file that cannot be opened is reported, and the command is not run") {
    Scenario scenario;
    const auto missing = scenario.run({"lock-run", "none/lock", "touch", "ran"});
    CHECK(missing.status == 125);
    CHECK(missing.err == "lock-run: cannot open none/lock: No such file or directory\n");
    CHECK_FALSE(scenario.exists("ran"));
    CHECK(scenario.run({"lock-run", ".", "true"}).status == 0);
}

TEST_CASE(
    "a command that holds the lock for too long is ended with all processes that it started") {
    Scenario scenario;
    // ALRM means that the time is up.
    const auto script =
        "(setsid sh -c 'trap \"\" TERM; echo $$ >deaf; while :; do sleep 1; done' "
        "<&- >/dev/null 2>&1 &); until [ -s deaf ]; do :; done; kill -ALRM $PPID; exec sleep 1000";
    for (const char* const option : {"-x", "-o"}) {
        const auto result = scenario.run({"lock-run", option, "--max-hold", "1000", "--stages",
                                          "TERM:0.1s,KILL", "lock", "sh", "-c", script});
        CHECK((result.status == 124 || result.status == 137));
        CHECK(scenario.run({"lock-run", "-n", "lock", "true"}).status == 0);
        REQUIRE(std::remove("deaf") == 0);
    }
    CHECK(scenario.run({"lock-run", "--max-hold", "1m", "lock", "sh", "-c", "exit 7"}).status == 7);
    CHECK(scenario.run({"lock-run", "--max-hold", "1m", "lock", "no-such-command"}).status == 127);
    CHECK(scenario.run({"lock-run", "--max-hold", "0", "lock", "true"}).status == 2);
    CHECK(scenario.run({"lock-run", "--max-hold", "1", "--stages", "X", "lock", "true"}).status ==
          2);
}

TEST_CASE("a FIFO without a writer can be locked") {
    Scenario scenario;
    REQUIRE(scenario.shell("mkfifo fifo").status == 0);
    CHECK(scenario.run({"lock-run", "-n", "fifo", "echo", "hi"}).out == "hi\n");
}

TEST_CASE("--max-hold is nothing for a descriptor, whose lock it could not take back") {
    Scenario scenario;
    CHECK(scenario.shell("exec 9>lock; lock-run --max-hold 1 9").err ==
          "lock-run: --max-hold needs a COMMAND (see lock-run --help)\n");
}

TEST_CASE("flock's -e means -x, and --stages is nothing without --max-hold") {
    Scenario scenario;
    CHECK(scenario.run({"lock-run", "-e", "lock", "true"}).status == 0);
    CHECK(scenario.run({"lock-run", "-es", "lock", "true"}).status == 2);
    CHECK(scenario.run({"lock-run", "--stages", "KILL", "lock", "true"}).err ==
          "lock-run: --stages needs --max-hold (see lock-run --help)\n");
    CHECK(scenario.run({"lock-run", "", "true"}).err ==
          "lock-run: FILE '': expected the name of a file (see lock-run --help)\n");
}
