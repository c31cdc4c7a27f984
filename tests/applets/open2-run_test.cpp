#include "core/process_info.h"
#include "harness/scenario.h"
#include "harness/time_limit.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/syscall.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

Words talk(const Words& options, const char* first, const char* second) {
    Words words{"open2-run"};
    words.insert(words.end(), options.begin(), options.end());
    for (const char* word : {"--", "sh", "-c", first, "--with", "sh", "-c", second})
        words.emplace_back(word);
    return words;
}

constexpr auto asks = "echo question; read answer; echo \"got $answer\" >&2";
constexpr auto answers = "read question; echo \"answer to $question\"";

// A transcript without its times.
std::string without_times(std::string_view text) {
    std::string lines;
    while (!text.empty()) {
        text.remove_prefix(text.find(' ') + 1);
        const auto line = text.substr(0, text.find('\n') + 1);
        lines += line;
        text.remove_prefix(line.size());
    }
    return lines;
}

} // namespace

TEST_CASE("each command reads what the other one writes") {
    Scenario scenario;
    const auto result = scenario.run(talk({}, asks, answers));
    CHECK(result.status == 0);
    CHECK(result.err == "got answer to question\n");
    CHECK(result.out.empty());
}

TEST_CASE("the end of one command's output is the end of the other one's input") {
    Scenario scenario;
    const auto result = scenario.run(talk({}, "echo a; echo b", "wc -l >&2"));
    CHECK(result.status == 0);
    CHECK(result.err == "2\n");
}

TEST_CASE("the status is that of the last command that failed, and each failure is reported") {
    Scenario scenario;
    const auto both = scenario.run(talk({}, "exit 3", "cat >/dev/null; exit 4"));
    CHECK(both.status == 4);
    CHECK(both.err == "open2-run: command 1 (sh): exit 3\nopen2-run: command 2 (sh): exit 4\n");
    CHECK(scenario.run(talk({"-q"}, "exit 3", "true")).status == 3);
    CHECK(scenario.run(talk({}, "true", "kill -TERM $$")).status == 128 + SIGTERM);
}

TEST_CASE("a command whose reader has heard enough did not fail") {
    Scenario scenario;
    CHECK(scenario.run(talk({}, "exec yes", "read line")).status == 0);
    CHECK(scenario.run(talk({}, "read line", "exec yes")).status == 0);
    CHECK(scenario.run(talk({}, "exec yes", "read line; exit 5")).status == 5);
}

TEST_CASE("nothing runs when one program is missing") {
    Scenario scenario;
    const auto result =
        scenario.run({"open2-run", "--", "touch", "ran", "--with", "no-such-program"});
    CHECK(result.status == 127);
    CHECK_FALSE(scenario.exists("ran"));
}

TEST_CASE("a tap has the lines of both, in the order in which they were said") {
    Scenario scenario;
    CHECK(scenario.run(talk({"--tap", "log"}, asks, answers)).status == 0);
    CHECK(without_times(scenario.read_file("log")) == "1> question\n2> answer to question\n");
    CHECK(scenario.run(talk({"--tap", "log"}, "printf 'no line feed'", "cat >/dev/null")).status ==
          0);
    CHECK(without_times(scenario.read_file("log")) == "1+ no line feed\n");
    CHECK(scenario.run(talk({"--tap", "/dev/full"}, asks, answers)).status == 1);
}

TEST_CASE("much data in both directions at once comes through, also with a tap") {
    Scenario scenario;
    constexpr auto script = "head -c 100000 /dev/zero & exec wc -c >&2";
    for (const Words& options : {Words{}, Words{"--tap", "/dev/null"}}) {
        const auto result = scenario.run(talk(options, script, script));
        CHECK(result.status == 0);
        CHECK(result.err == "100000\n100000\n");
    }
}

TEST_CASE("two commands that wait for each other are reported") {
    Scenario scenario;
    auto running = scenario.start({"open2-run", "--stuck", "100ms", "--", "cat", "--with", "cat"});
    CHECK(running.error_line() ==
          "open2-run: warning: both commands have waited for each other for 0.1s; is there "
          "output in a buffer? Try --pty");
    running.kill(SIGTERM);
    CHECK(running.wait().status == 128 + SIGTERM);
}

TEST_CASE("at the timeout both commands are ended") {
    Scenario scenario;
    const auto result = scenario.run({"open2-run", "-t", "100ms", "--", "cat", "--with", "cat"});
    CHECK(result.status == 124);
    CHECK(result.err.ends_with("open2-run: timed out: the commands were still running\n"));
}

TEST_CASE("with -J the end of each command is an object") {
    Scenario scenario;
    const auto result = scenario.run(talk({"-J"}, "exit 3", "true"));
    CHECK(result.status == 3);
    CHECK(result.err.starts_with(
        "{\"v\":1,\"number\":1,\"command\":[\"sh\",\"-c\",\"exit 3\"],\"status\":3,\"end\":\"exit "
        "3\",\"failed\":true,\"seconds\":"));
}

TEST_CASE("each question gets a line of answer") {
    Scenario scenario;
    const auto result =
        scenario.run({"open2-run", "--ask", "one", "--ask", "two", "--", "cat", "-u", "-n"});
    CHECK(result.status == 0);
    CHECK(result.out == "     1\tone\n     2\ttwo\n");
    const auto input = scenario.run(
        {"open2-run", "--tap", "log", "--ask", "first", "--ask", "-", "--", "cat"}, "a\nb");
    CHECK(input.out == "first\na\nb\n");
    CHECK(without_times(scenario.read_file("log")) ==
          "1> first\n2> first\n1> a\n2> a\n1> b\n2> b\n");
}

TEST_CASE("a question is sent only after the answer before it") {
    Scenario scenario;
    auto running = scenario.start({"open2-run", "--ask", "-", "--", "cat"});
    for (const char* line : {"one", "two", "three"}) {
        running.send(fmt::format("{}\n", line));
        CHECK(running.line() == line);
    }
    running.close_input();
    CHECK(running.wait().status == 0);
}

TEST_CASE("the status of a command that is asked is its own") {
    Scenario scenario;
    const auto result = scenario.run(
        {"open2-run", "--ask", "x", "--", "sh", "-c", "read x; echo $x; cat; echo end; exit 3"});
    CHECK(result.status == 3);
    CHECK(result.out == "x\nend\n");
    const auto silent = scenario.run({"open2-run", "--ask", "x", "--", "true"});
    CHECK(silent.status == 1);
    CHECK(silent.err == "open2-run: no answer to x: true has ended its output\n");
}

TEST_CASE("a command that never answers is reported, and ended at the timeout") {
    Scenario scenario;
    const std::string expected =
        "open2-run: warning: the command waits for more input and has not answered "
        "for 0.1s; is there output in a buffer? Try --pty\n"
        "open2-run: timed out: no answer came\n";
    const auto result = with_time_limit(
        [&](const std::string& limit) {
            return scenario.run({"open2-run", "--stuck", "100ms", "-t", limit, "--ask", "x", "--",
                                 "sed", "-n", "s/no//p"});
        },
        [&](const Result& late) { return late.err == expected; });
    CHECK(result.status == 124);
    CHECK(result.err == expected);
}

TEST_CASE("a long question does not block a command that answers while it reads") {
    Scenario scenario;
    const auto result = scenario.shell("head -c 100000 /dev/zero >f; printf '\\n' >>f;"
                                       "open2-run --ask - -- cat <f | cmp - f");
    CHECK(result.status == 0);
    CHECK(result.err.empty());
}

TEST_CASE("a command line without two commands or a question is refused") {
    Scenario scenario;
    CHECK(scenario.run({"open2-run", "--", "cat"}).status == 2);
    CHECK(scenario.run({"open2-run", "--", "cat", "--with"}).status == 2);
    CHECK(scenario.run({"open2-run", "--", "--with", "cat"}).status == 2);
    CHECK(scenario.run({"open2-run", "--", "a", "--with", "b", "--with", "c"}).status == 2);
    CHECK(scenario.run({"open2-run", "--ask", "x", "--", "a", "--with", "b"}).status == 2);
    CHECK(scenario.run({"open2-run", "-J", "--ask", "x", "--", "cat"}).status == 2);
}

TEST_CASE("a lost answer is a failure") {
    Scenario scenario;
    const auto result = scenario.shell("open2-run --ask x -- cat >/dev/full");
    CHECK(result.status == 1);
    CHECK(result.err == "open2-run: cannot write standard output: No space left on device\n");
}

TEST_CASE("both commands end when it is killed") {
    Scenario scenario;
    auto running = scenario.start(
        {"open2-run", "--", "sh", "-c", "echo $$ >&2; exec sleep 1000", "--with", "sleep", "1000"});
    const auto sleeper = std::stoi(running.error_line());
    running.kill(SIGKILL);
    CHECK(running.wait().status == 128 + SIGKILL);
    CHECK(eventually([sleeper] { return !find_process(sleeper); }));
}

TEST_CASE("a command on a terminal of its own answers each line at once") {
    Scenario scenario;
    // sed writes into a pipe only when it ends.
    const auto asked = scenario.run(
        {"open2-run", "--pty", "--ask", "a", "--ask", "^C\x03^D\x04", "--", "sed", "s/a/answer/"});
    CHECK(asked.status == 0);
    CHECK(asked.out == "answer\n^C\x03^D\x04\n");
    CHECK(asked.err.empty());
    const auto between = scenario.run({"open2-run", "--pty-of", "2", "--", "sh", "-c",
                                       "echo a; read answer; echo \"got $answer\" >&2", "--with",
                                       "sed", "s/a/answer/"});
    CHECK(between.status == 0);
    CHECK(between.err == "got answer\n");
}

TEST_CASE("a command finds a terminal for its input and output, not for its errors") {
    Scenario scenario;
    const auto script = "test -t 0 && test -t 1 && ! test -t 2 && read line && echo \"is $line\"";
    CHECK(scenario.run({"open2-run", "--pty", "--ask", "there", "--", "sh", "-c", script}).out ==
          "is there\n");
    const auto one = scenario.run(talk({"--pty-of", "1"}, "test -t 0 && test -t 1",
                                       "if test -t 0 || test -t 1; then exit 1; fi"));
    CHECK(one.status == 0);
    CHECK(scenario.run(talk({"--pty"}, "test -t 0", "test -t 1")).status == 0);
}

TEST_CASE("on a terminal too, the status is the command's own") {
    Scenario scenario;
    const auto result = scenario.run(talk({"--pty"}, "exit 3", "true"));
    CHECK(result.status == 3);
    CHECK(result.err == "open2-run: command 1 (sh): exit 3\n");
    CHECK(scenario.run({"open2-run", "--pty", "--ask", "a", "--", "sh", "-c", "kill -TERM $$"})
              .status == 128 + SIGTERM);
    CHECK(scenario.run({"open2-run", "--pty", "--ask", "a", "--", "no-such-program"}).status ==
          127);
}

TEST_CASE("on a terminal too, an error has the name of this applet") {
    Scenario scenario;
    REQUIRE(scenario.shell("echo '#!/missing' >script; chmod +x script").status == 0);
    const auto alone = scenario.run({"open2-run", "--pty", "--ask", "a", "--", "./script"});
    CHECK(alone.status == 127);
    CHECK(contains(alone.err, "open2-run: cannot execute ./script: No such file or directory\n"));
    CHECK_FALSE(contains(alone.err, "pty-run"));
    const auto one =
        scenario.run({"open2-run", "--pty-of", "1", "--", "./script", "--with", "cat"});
    CHECK(contains(one.err, "open2-run: cannot execute ./script: No such file or directory\n"));
    CHECK_FALSE(contains(one.err, "pty-run"));
}

TEST_CASE("two commands on terminals that wait for each other are reported") {
    Scenario scenario;
    auto running =
        scenario.start({"open2-run", "--pty", "--stuck", "100ms", "--", "cat", "--with", "cat"});
    CHECK(running.error_line() == "open2-run: warning: both commands have waited for each other "
                                  "for 0.1s; is there output in a buffer?");
    running.kill(SIGTERM);
    CHECK(running.wait().status == 128 + SIGTERM);
}

TEST_CASE("--pty-of with a question, and a question of two lines, are usage errors") {
    Scenario scenario;
    CHECK(scenario.run({"open2-run", "--pty-of", "1", "--ask", "a", "--", "cat"}).status == 2);
    CHECK(scenario.run({"open2-run", "--ask", "a\nb", "--", "cat"}).status == 2);
    CHECK(scenario.run(talk({"--pty-of", "3"}, "true", "true")).status == 2);
}

TEST_CASE("a conversation goes on although its transcript cannot be written") {
    Scenario scenario;
    const auto asked = scenario.run({"open2-run", "--tap", "/dev/full", "--ask", "q", "--", "cat"});
    CHECK(asked.out == "q\n");
    CHECK(asked.err == "open2-run: cannot write /dev/full: No space left on device\n");
    CHECK(asked.status == 1);
    const auto both = scenario.run({"open2-run", "--tap", "/dev/full", "--", "echo", "hi", "--with",
                                    "sh", "-c", "cat >heard; exit 3"});
    CHECK(scenario.read_file("heard") == "hi\n");
    CHECK(both.status == 3);
}
