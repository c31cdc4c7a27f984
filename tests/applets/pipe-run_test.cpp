#include "harness/hidden_proc.h"
#include "harness/scenario.h"
#include "harness/time_limit.h"

#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

Words words(const Words& options, const std::vector<Words>& stages) {
    Words all{"pipe-run"};
    all.insert(all.end(), options.begin(), options.end());
    all.emplace_back("--");
    for (std::size_t stage = 0; stage < stages.size(); ++stage) {
        if (stage > 0) all.emplace_back("--then");
        all.insert(all.end(), stages[stage].begin(), stages[stage].end());
    }
    return all;
}

Words shell(const char* script) {
    return {"sh", "-c", script};
}

} // namespace

TEST_CASE("each stage reads what the one before it writes") {
    Scenario scenario;
    const auto result =
        scenario.run(words({}, {{"cat"}, {"tr", "a-z", "A-Z"}, {"sed", "s/L/1/g"}}), "hello\n");
    CHECK(result.status == 0);
    CHECK(result.out == "HE11O\n");
    CHECK(result.err.empty());
    CHECK(scenario.run(words({}, {{"cat"}}), "alone").out == "alone");
}

TEST_CASE("the status is that of the last stage that failed, and each failure is reported") {
    Scenario scenario;
    const auto result =
        scenario.run(words({}, {shell("exit 3"), {"cat"}, shell("cat; kill -TERM $$"), {"cat"}}));
    CHECK(result.status == 128 + SIGTERM);
    CHECK(result.err == "pipe-run: stage 1 (sh): exit 3\n"
                        "pipe-run: stage 3 (sh): killed by TERM\n");
    CHECK(scenario.run(words({"-q"}, {shell("exit 3"), {"cat"}})).err.empty());
    CHECK(scenario.run(words({"-v"}, {{"true"}}))
              .err.starts_with("pipe-run: stage 1 (true): exit 0"));
}

TEST_CASE("a stage whose reader has seen enough did not fail") {
    Scenario scenario;
    const std::vector<Words> stages{{"yes"}, {"head", "-n1"}};
    const auto usual = scenario.run(words({}, stages));
    CHECK(usual.status == 0);
    CHECK(usual.out == "y\n");
    CHECK(usual.err.empty());
    const auto strict = scenario.run(words({"--strict"}, stages));
    CHECK(strict.status == 128 + SIGPIPE);
    CHECK(strict.err == "pipe-run: stage 1 (yes): killed by PIPE\n");
    CHECK(scenario.run(words({}, {{"yes"}, shell("read line; exit 4")})).status == 4);
}

TEST_CASE("nothing runs when one program is missing") {
    Scenario scenario;
    const auto result = scenario.run(words({"-o", "out"}, {{"touch", "ran"}, {"no-such-program"}}));
    CHECK(result.status == 127);
    CHECK(result.err == "pipe-run: cannot execute no-such-program: No such file or directory\n");
    CHECK(scenario.count_files() == 0);
    CHECK(scenario.run(words({}, {{"true"}, {"/"}})).status == 126);
}

TEST_CASE("an invalid pipeline is a usage error") {
    Scenario scenario;
    CHECK(scenario.run({"pipe-run"}).status == 2);
    CHECK(scenario.run({"pipe-run", "--", "--then", "cat"})
              .err.starts_with("pipe-run: stage 1 is empty: expected a COMMAND before --then"));
    CHECK(scenario.run({"pipe-run", "--", "cat", "--then"})
              .err.starts_with("pipe-run: stage 2 is empty: expected a COMMAND after --then"));
    CHECK(scenario.run(words({"--tee", "2=f"}, {{"true"}}))
              .err.starts_with("pipe-run: --tee 2=...: there is only 1 stage"));
    const auto twice = scenario.run(words({"--tee", "1=first", "--tee", "second"}, {{"true"}}));
    CHECK(twice.err == "pipe-run: --tee: stage 1 has a file already (see pipe-run --help)\n");
    CHECK(twice.status == 2);
    CHECK(scenario.run(words({"--atomic", "f", "-o", "g"}, {{"true"}})).status == 2);
    CHECK(
        scenario.run({"pipe-run", "--separator", "::", "--", "echo", "--then", "::", "cat"}).out ==
        "--then\n");
}

TEST_CASE("64 stages are as good as two") {
    Scenario scenario;
    const std::vector<Words> stages(64, {"cat"});
    const auto result = scenario.run(words({}, stages), "through\n");
    CHECK(result.status == 0);
    CHECK(result.out == "through\n");
}

TEST_CASE("files stand for the ends of the pipeline") {
    Scenario scenario;
    scenario.write_file("in", "text");
    scenario.write_file("out", "something longer");
    CHECK(scenario
              .run(words({"-i", "in", "-o", "out", "-e", "err"},
                         {shell("cat; echo oops >&2"), {"cat"}}))
              .status == 0);
    CHECK(scenario.read_file("out") == "text");
    CHECK(scenario.read_file("err") == "oops\n");
    CHECK(scenario.run(words({"-i", "in", "-a", "-o", "out"}, {{"cat"}})).status == 0);
    CHECK(scenario.read_file("out") == "texttext");
}

TEST_CASE("a file that the pipeline reads is not emptied") {
    Scenario scenario;
    scenario.write_file("file", "text");
    const auto input = scenario.run(words({"-i", "file", "-o", "file"}, {{"cat"}}));
    CHECK(input.status == 125);
    CHECK(input.err == "pipe-run: cannot write file: it is also the input\n");
    const auto named = scenario.run(words({"-o", "file"}, {{"cat", "./file"}, {"tr", "t", "T"}}));
    CHECK(named.status == 125);
    CHECK(named.err == "pipe-run: cannot write file: a command reads it, so it would be empty\n");
    CHECK(scenario.read_file("file") == "text");
    CHECK(scenario.run(words({"--atomic", "file"}, {{"cat", "file"}, {"tr", "t", "T"}})).status ==
          0);
    CHECK(scenario.read_file("file") == "TexT");
}

TEST_CASE("a stage ends by SIGPIPE even where that signal was ignored when we started") {
    Scenario scenario;
    const auto result =
        scenario.run({"sh", "-c", "trap '' PIPE; exec pipe-run -- yes --then head -n1"});
    CHECK(result.status == 0);
    CHECK(result.out == "y\n");
    CHECK(result.err.empty());
}

TEST_CASE("--atomic replaces the file only when every stage succeeded") {
    Scenario scenario;
    scenario.write_file("file", "old");
    CHECK(scenario.run(words({"--atomic", "file"}, {shell("echo new; exit 1"), {"cat"}})).status ==
          1);
    CHECK(scenario.run(words({"--atomic", "file"}, {{"echo", "new"}, shell("kill -INT $$")}))
              .status == 128 + SIGINT);
    CHECK(scenario.read_file("file") == "old");
    CHECK(scenario.count_files() == 1);
    CHECK(scenario.run(words({"--atomic", "file"}, {{"echo", "new"}, {"cat"}})).status == 0);
    CHECK(scenario.read_file("file") == "new\n");
    CHECK(scenario.count_files() == 1);
    const auto device = scenario.run(words({"--atomic", "/dev/null"}, {{"true"}}));
    CHECK(device.status == 125);
    CHECK(device.err == "pipe-run: cannot replace /dev/null: it is not a regular file\n");
}

TEST_CASE("output that nobody reads is no success, with a tap as without") {
    Scenario scenario;
    // The reader has gone before the pipeline begins.
    for (const std::string options : {"", "--tee copy ", "--line-timeout 1m "}) {
        CAPTURE(options);
        const auto result = scenario.shell("mkfifo p; (read -r go <p; pipe-run " + options +
                                           "-- echo lost; echo $? >&2) | { exec <&-; echo >p; }; "
                                           "rm p");
        CHECK(result.err == "141\n");
    }
}

TEST_CASE("--tee copies the output of a stage") {
    Scenario scenario;
    const auto result = scenario.run(
        words({"--tee", "1=first", "--tee", "last"}, {{"seq", "20000"}, {"tail", "-n1"}}));
    CHECK(result.out == "20000\n");
    CHECK(scenario.read_file("last") == "20000\n");
    CHECK(scenario.read_file("first").size() == 108'894);
    const auto full = scenario.run(words({"--tee", "/dev/full"}, {{"seq", "2000"}, {"cat"}}));
    CHECK(full.status == 1);
    CHECK(full.err == "pipe-run: cannot write /dev/full: No space left on device\n");
    const auto limited = scenario.shell("ulimit -f 1; exec pipe-run --tee limited -- seq 2000");
    CHECK(limited.status == 1);
    CHECK(limited.err == "pipe-run: cannot write limited: File too large\n");
}

TEST_CASE("a reader that has gone before its copy is made fails nobody") {
    Scenario scenario;
    // The pipe has room for all output, so the tap is often the last to learn that nobody reads it.
    constexpr int runs = 40;
    for (int run = 0; run < runs; ++run)
        CHECK(scenario.run(words({"--tee", "1=copy"}, {{"seq", "300"}, {"true"}})).status == 0);
}

TEST_CASE("stages that still run when time is up are ended with all processes that they started") {
    Scenario scenario;
    const auto result = with_time_limit(
        [&](const std::string& limit) {
            return scenario.run(words(
                {"-t", limit},
                {shell("setsid sleep 1000 & echo $! > new; mv new pid; sleep 1000"), {"cat"}}));
        },
        [&](const Result&) { return scenario.exists("pid"); });
    CHECK(result.status == 124);
    CHECK(
        result.err.ends_with("pipe-run: timed out: still running: stage 1 (sh), stage 2 (cat)\n"));
    CHECK(ends(std::stoi(scenario.read_file("pid"))));
    CHECK(
        scenario
            .run(words({"-t", "20ms", "-k", "20ms"}, {shell("trap '' TERM; while :; do :; done")}))
            .status == 124);
    CHECK(scenario.run(words({"-t", "100"}, {{"true"}})).status == 0);
}

TEST_CASE("--line-timeout ends a pipeline that has gone quiet") {
    Scenario scenario;
    const auto result = with_time_limit(
        [&](const std::string& limit) {
            return scenario.run(words({"--line-timeout", limit},
                                      {shell("echo one; printf two; sleep 1000"), {"cat"}}));
        },
        [](const Result& quiet) { return quiet.out == "one\ntwo"; });
    CHECK(result.status == 124);
    CHECK(result.out == "one\ntwo");
    CHECK(scenario.run(words({"--line-timeout", "100"}, {{"seq", "3"}})).out == "1\n2\n3\n");
}

TEST_CASE("signals reach every stage, and the pipeline dies with us") {
    Scenario scenario;
    auto running = scenario.start(words({}, {shell("echo $$ >first; exec sleep 1000"),
                                             shell("echo $$ >second; echo up; exec sleep 1000")}));
    CHECK(running.line() == "up");
    REQUIRE(eventually(
        [&] { return scenario.exists("first") && !scenario.read_file("first").empty(); }));
    SUBCASE("TERM") {
        running.kill(SIGTERM);
        CHECK(running.wait().status == 128 + SIGTERM);
    }
    SUBCASE("KILL") {
        running.kill(SIGKILL);
        CHECK(running.wait().status == 128 + SIGKILL);
    }
    for (const auto* file : {"first", "second"})
        CHECK(ends(std::stoi(scenario.read_file(file))));
}

TEST_CASE("the report has an object for each stage") {
    Scenario scenario;
    const auto result = scenario.run(words({"-J", "--report", "report", "--tee", "1=copy"},
                                           {{"echo", "hello"}, shell("cat >out; exit 5")}));
    CHECK(result.status == 5);
    CHECK(result.err == scenario.read_file("report"));
    CHECK(result.err.starts_with(R"({"v":1,"stage":1,"command":["echo","hello"],"status":0,)"));
    CHECK(
        result.err.find(
            R"("stage":2,"command":["sh","-c","cat >out; exit 5"],"status":5,"end":"exit 5","failed":true)") !=
        std::string::npos);
}

TEST_CASE("a stage runs as another user when root says so") {
    if (::geteuid() != 0) return;
    Scenario scenario;
    CHECK(
        scenario.run(words({"-u", "2=nobody"}, {{"id", "-u"}, shell("cat; id -u; id -Gn")})).out ==
        "0\n65534\nnogroup\n");
    CHECK(scenario.run(words({"-u", "12345:23456"}, {shell("id -u; id -g")})).out ==
          "12345\n23456\n");
    CHECK(scenario.run(words({"-u", "no-such-user"}, {{"true"}})).status == 2);
}

TEST_CASE("a pipeline that leads its session ends when the terminal hangs up") {
    Scenario scenario;
    scenario.write_file("script", "expect /ready/\nclose\nwait 10s\n");
    const auto result = scenario.shell("pty-expect -f script -- \"$IPCBOX_BINARY\" pipe-run -- "
                                       "sh -c 'echo ready; exec sleep 1000' --then cat");
    CHECK(result.status == 0);
    CHECK(result.out == "ready\n");
}

TEST_CASE("a stage that is stopped is ended by TERM anyway") {
    Scenario scenario;
    auto process = scenario.start(words({}, {shell("echo begun; kill -STOP $$"), {"cat"}}));
    CHECK(process.line() == "begun");
    process.kill(SIGTERM);
    CHECK(process.wait().status == 128 + SIGTERM);
}

TEST_CASE("an empty word is not a program, and the message shows it") {
    Scenario scenario;
    const auto result = scenario.run(words({}, {{"cat"}, {""}}));
    CHECK(result.status == 127);
    CHECK(result.err == "pipe-run: cannot execute '': No such file or directory\n");
}

TEST_CASE("a copy that cannot be written does not stop the pipeline") {
    Scenario scenario;
    const auto between = scenario.run(
        {"pipe-run", "--tee", "1=/dev/full", "--", "seq", "2000", "--then", "wc", "-l"});
    CHECK(between.out == "2000\n");
    CHECK(between.err == "pipe-run: cannot write /dev/full: No space left on device\n");
    CHECK(between.status == 1);
    const auto last = scenario.run({"pipe-run", "--tee", "/dev/full", "--", "echo", "hi"});
    CHECK(last.out == "hi\n");
    CHECK(last.status == 1);
    const auto failed =
        scenario.run({"pipe-run", "--tee", "/dev/full", "--", "sh", "-c", "echo hi; exit 3"});
    CHECK(failed.status == 3);
}

TEST_CASE("an empty name is no file, and does not count as if the option were not there") {
    Scenario scenario;
    for (const std::string option : {"-i", "-o", "-e", "--atomic", "--tee", "--report"}) {
        const auto result = scenario.run({"pipe-run", option, "", "--", "echo", "hi"});
        CHECK(result.status == 2);
        CHECK(result.out.empty());
    }
    CHECK(scenario.run({"pipe-run", "--tee", "1=", "--", "echo", "hi"}).status == 2);
    CHECK(scenario.run({"pipe-run", "--tee", "0=file", "--", "echo", "hi"}).status == 2);
}

#ifndef IPCBOX_ADDRESS_SANITIZER // it warns of exceptions on the stack of the new process
TEST_CASE("a user that only root can become is named in the error") {
    Scenario scenario;
    if (::geteuid() != 0) return;
    const auto result = scenario.run(
        {"setpriv", "--reuid=65534", "--clear-groups", "pipe-run", "-u", "root", "--", "true"});
    CHECK(result.err == "pipe-run: cannot become user root: Operation not permitted\n");
    CHECK(result.status == 125);
}
#endif

TEST_CASE("the stages end in time where nobody can see their descendants") {
    Scenario scenario;
    if (!can_hide_proc(scenario)) return;
    const auto result =
        scenario.run(without_proc("exec pipe-run -qt 10ms -k 1000 -- sleep 1000 --then cat"));
    CHECK(result.status == 124);
}
