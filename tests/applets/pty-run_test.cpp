#include "harness/scenario.h"
#include "harness/screen.h"

#include <csignal>
#include <cstdlib>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sstream>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

std::string numbers(int last) {
    std::string text;
    for (int number = 1; number <= last; ++number)
        text += fmt::format("{}\n", number);
    return text;
}

// The sum of the pieces in a timing file, whose lines are "SECONDS BYTES".
std::size_t bytes_of(const std::string& timing) {
    std::istringstream lines{timing};
    std::size_t sum = 0;
    double seconds = 0;
    for (std::size_t bytes = 0; lines >> seconds >> bytes;)
        sum += bytes;
    return sum;
}

// Whether a read may return only a part of the output, which then makes two pieces.
bool reads_can_be_short() {
    const char* const faults = std::getenv("IPCBOX_FAULT");
    return faults != nullptr && contains(faults, "SHORT");
}

} // namespace

TEST_CASE("the command finds a terminal, and its status is ours") {
    Scenario scenario;
    const auto result = scenario.run(
        {"pty-run", "--", "sh", "-c", "test -t 0 && test -t 1 && test -t 2 && stty size; exit 7"});
    CHECK(result.status == 7);
    CHECK(result.out == "24 80\n");
    CHECK(result.err.empty());
    CHECK(scenario.run({"pty-run", "sh", "-c", "kill -TERM $$"}).status == 128 + SIGTERM);
    CHECK(scenario.run({"pty-run", "no-such-program"}).status == 127);
    CHECK(scenario.run({"pty-run", "/"}).status == 126);
    CHECK(scenario.run({"pty-run", "--size", "132x50", "stty", "size"}).out == "50 132\n");
    CHECK(scenario
              .run({"pty-run", "sh", "-c", "echo $$; ps -o sid= -p $$ | tr -d ' '; true </dev/tty"})
              .status == 0);
}

TEST_CASE("no output is lost, and no status") {
    Scenario scenario;
    const auto text = numbers(5000);
    constexpr int runs = 20;
    for (int run = 0; run < runs; ++run) {
        const auto result = scenario.run({"pty-run", "--", "sh", "-c", "seq 5000; exit 7"});
        CHECK(result.status == 7);
        CHECK(result.out == text);
        CHECK(scenario.run({"pty-run", "-p", "wc", "-l"}, text).out == "5000\n");
    }
}

TEST_CASE("with -p the end of the input is typed, and the command waited for") {
    Scenario scenario;
    CHECK(scenario.run({"pty-run", "-p", "sort", "-r"}, "1\n2\n3\n").out == "3\n2\n1\n");
    CHECK(scenario.run({"pty-run", "-p", "wc", "-c"}, "abc").out == "3\n");
    CHECK(scenario.run({"pty-run", "-p", "cat"}).out.empty());
    CHECK(scenario.run({"pty-run", "-p", "--echo", "cat"}, "one\n").out == "one\none\n");
}

TEST_CASE("every byte of the input arrives, in lines of any length") {
    Scenario scenario;
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte)
        bytes.push_back(static_cast<char>(byte));
    CHECK(scenario.run({"pty-run", "-p", "cat"}, bytes).out == bytes);
    const std::string line(100'000, 'x');
    CHECK(scenario.run({"pty-run", "-p", "cat"}, line).out == line);
    CHECK(scenario.run({"pty-run", "-p", "wc", "-c"}, line + "\n").out == "100001\n");
}

TEST_CASE("without -p the command reads nothing of ours, and finds the end") {
    Scenario scenario;
    CHECK(scenario.run({"pty-run", "cat"}, "not read").out.empty());
    CHECK(
        scenario.shell("printf 'a\\nb\\n' | while read -r line; do pty-run echo $line; done").out ==
        "a\nb\n");
}

TEST_CASE("every reader finds the end of the input, as in a file") {
    Scenario scenario;
    CHECK(scenario.run({"pty-run", "sh", "-c", "cat; cat; echo done"}).out == "done\n");
    CHECK(scenario.run({"pty-run", "-p", "sh", "-c", "cat; cat; echo done"}, "in").out ==
          "indone\n");
    // A prompt for a password discards what was typed before it.
    CHECK(scenario
              .run({"pty-run", "sh", "-c",
                    "cat; stty -echo; perl -MPOSIX -e 'tcflush(0, TCIFLUSH)'; cat; echo done"})
              .out == "done\n");
}

TEST_CASE("lines end as the command wrote them, or as a terminal shows them") {
    Scenario scenario;
    CHECK(scenario.run({"pty-run", "printf", "a\\nb\\r\\n"}).out == "a\nb\r\n");
    // A tab is unchanged even in a mode that expands tabs.
    CHECK(scenario.shell("pty-run sh -c \"stty tab3; printf 'a\\tb\\n'\"").out == "a\tb\n");
    CHECK(scenario.run({"pty-run", "--raw-output", "printf", "a\\n"}).out == "a\r\n");
}

TEST_CASE("--split-stderr leaves standard error beside the terminal") {
    Scenario scenario;
    const auto result =
        scenario.run({"pty-run", "--split-stderr", "sh", "-c", "echo out; echo err >&2"});
    CHECK(result.out == "out\n");
    CHECK(result.err == "err\n");
}

TEST_CASE("a log has what was shown, and the timing plays it") {
    Scenario scenario;
    CHECK(scenario.run({"pty-run", "--log", "log", "echo", "text"}).status == 0);
    CHECK(scenario.read_file("log") == "text\n");
    CHECK(scenario.run({"pty-run", "--log", "log", "--timing", "timing", "echo", "text"}).status ==
          0);
    CHECK(scenario.read_file("log") == "Script started by pty-run\ntext\n");
    const auto timing = scenario.read_file("timing");
    CHECK(bytes_of(timing) == 5);
    if (!reads_can_be_short()) CHECK(timing.ends_with(" 5\n"));
    CHECK(scenario.run({"pty-run", "--timing", "timing", "true"}).status == 2);
    const auto full = scenario.run({"pty-run", "--log", "/dev/full", "echo", "text"});
    CHECK(full.status == 1);
    CHECK(full.err == "pty-run: cannot write /dev/full: No space left on device\n");
    const auto limited = scenario.shell("ulimit -f 1; exec pty-run --log limited seq 200");
    CHECK(limited.status == 1);
    CHECK(limited.err == "pty-run: cannot write limited: File too large\n");
}

TEST_CASE(
    "a process that stays behind does not keep us, and loses nothing that it writes at once") {
    Scenario scenario;
    // pty-run reads on for 0.2 s after the command's end. On a busy machine, the process may write
    // later than that.
    CHECK(eventually([&] {
        const auto result = scenario.run(
            {"pty-run", "sh", "-c",
             "trap '' HUP; (echo behind; exec sleep 1000) & echo $! >pid; echo first"});
        ::kill(std::stoi(scenario.read_file("pid")), SIGKILL);
        CHECK(result.status == 0);
        CHECK(contains(result.out, "first\n"));
        return contains(result.out, "behind\n");
    }));
}

TEST_CASE("a process that stays behind and writes without end does not keep us") {
    Scenario scenario;
    CHECK(scenario
              .run({"pty-run", "sh", "-c",
                    "trap '' HUP; while echo more; do sleep 0.01; done & echo $! >pid"})
              .status == 0);
    CHECK(ends(std::stoi(scenario.read_file("pid")))); // by our hang-up
}

TEST_CASE("signals reach the command, and it dies with us") {
    Scenario scenario;
    auto running = scenario.start({"pty-run", "sh", "-c", "echo $$; exec sleep 1000"});
    const pid_t command = std::stoi(running.line());
    SUBCASE("TERM") {
        running.kill(SIGTERM);
        CHECK(running.wait().status == 128 + SIGTERM);
    }
    SUBCASE("KILL") {
        running.kill(SIGKILL);
        CHECK(running.wait().status == 128 + SIGKILL);
    }
    CHECK(ends(command));
}

TEST_CASE("a reader that has seen enough ends the command by SIGPIPE") {
    Scenario scenario;
    const auto result = scenario.shell("{ pty-run yes; echo $? >status; } | head -n1; cat status");
    CHECK(result.out.starts_with("y\n"));
    CHECK(eventually(
        [&] { return scenario.exists("status") && scenario.read_file("status") == "141\n"; }));
}

TEST_CASE("on a terminal, keys and the size reach the command") {
    Scenario scenario;
    const Screen screen{scenario, "pty-run -- sh -c 'stty size; read line; trap \"stty size\" "
                                  "WINCH; echo got $line; while :; do sleep 0.05; done'"};
    CHECK(screen.shows("20 60"));
    screen.type("hello");
    screen.key("Enter");
    CHECK(screen.shows("got hello"));
    screen.resize(50, 10);
    CHECK(screen.shows("10 50"));
    screen.key("C-c");
    // When INT kills a program, the shell gives up the rest of the line.
    CHECK(screen.shows("ready>"));
}

TEST_CASE("Ctrl-Z stops us with the terminal as it was, and fg goes on") {
    Scenario scenario;
    const Screen screen{scenario, "set -m; pty-run -- sh -c 'echo up; read line; echo got $line'"};
    CHECK(screen.shows("up"));
    screen.key("C-z");
    CHECK(screen.shows("left with"));
    CHECK(screen.is_as_before());
    screen.type("fg");
    screen.key("Enter");
    screen.type("again");
    screen.key("Enter");
    CHECK(screen.shows("got again"));
}

TEST_CASE("the terminal is as it was when we are killed") {
    Scenario scenario;
    const Screen screen{scenario, "pty-run -- sh -c 'echo $PPID >pid; echo up; read line'"};
    CHECK(screen.shows("up"));
    CHECK(scenario.shell("kill -KILL $(cat pid)").status == 0);
    CHECK(screen.shows("left with 137"));
    CHECK(screen.is_as_before());
}

TEST_CASE("a command goes on although its log cannot be written") {
    Scenario scenario;
    const auto result = scenario.run(
        {"pty-run", "--log", "/dev/full", "--", "sh", "-c", "echo a; sleep 0.1; echo b; exit 3"});
    CHECK(result.out == "a\nb\n");
    CHECK(result.err == "pty-run: cannot write /dev/full: No space left on device\n");
    CHECK(result.status == 3);
    CHECK(scenario.run({"pty-run", "--log", "/dev/full", "--", "echo", "a"}).status == 1);
}

TEST_CASE("output that cannot be written is a failure, and not one before the command was run") {
    Scenario scenario;
    const auto result = scenario.shell("pty-run echo a >/dev/full");
    CHECK(result.err == "pty-run: cannot write standard output: No space left on device\n");
    CHECK(result.status == 1);
}
