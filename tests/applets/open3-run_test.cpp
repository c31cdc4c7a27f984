#include "core/sanitizer.h"
#include "harness/scenario.h"

#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::string_literals;

namespace {

// With +x as the time, the lines are always the same.
Words words(const Words& options, const std::string& script) {
    Words all{"open3-run", "+x"};
    all.insert(all.end(), options.begin(), options.end());
    all.insert(all.end(), {"--", "sh", "-c", script});
    return all;
}

// TEXT with each digit replaced, because the times differ.
std::string masked(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char digit) { return digit >= '0' && digit <= '9'; }, '0');
    return text;
}

} // namespace

TEST_CASE("output and errors are told apart, with the time") {
    Scenario scenario;
    const auto result = scenario.run({"open3-run", "sh", "-c", "echo a; sleep 0.01; echo b >&2"});
    CHECK(result.status == 0);
    CHECK(result.err.empty());
    CHECK(masked(result.out) == "00:00:00 I: Started sh -c echo a; sleep 0.00; echo b >&0\n"
                                "00:00:00 O: a\n"
                                "00:00:00 E: b\n"
                                "00:00:00 I: Finished with exitcode 0\n");
}

TEST_CASE("the status is the command's own") {
    Scenario scenario;
    const auto status = [&](const std::string& script) {
        return scenario.run(words({"-q"}, script)).status;
    };
    CHECK(status("exit 42") == 42);
    CHECK(status("kill -TERM $$") == 128 + SIGTERM);
    CHECK(status("kill -KILL $$") == 128 + SIGKILL);
    CHECK(scenario.run({"open3-run", "no-such-command"}).status == 127);
    CHECK(scenario.run({"open3-run", "--", "."}).status == 126);
    CHECK(scenario.run({"open3-run", "no-such-command"}).out.empty());
    CHECK(scenario.run(words({}, "kill -TERM $$"))
              .out.ends_with("x I: Finished with exitcode 143\n"));
}

TEST_CASE("a command that is quiet leaves nothing under -q") {
    Scenario scenario;
    CHECK(scenario.run(words({"-q"}, ":")).out.empty());
    CHECK(scenario.run(words({"-q"}, "echo a")).out == "x O: a\n");
}

TEST_CASE("the format may stand before options and before the command") {
    Scenario scenario;
    CHECK(scenario.run({"open3-run", "+", "-q", "echo", "a"}).out == " O: a\n");
    CHECK(scenario.run({"open3-run", "-q", "+now", "echo", "a"}).out == "now O: a\n");
    CHECK(scenario.run({"open3-run", "-q", "+now", "--", "echo", "+a"}).out == "now O: +a\n");
    CHECK(masked(scenario.run({"open3-run", "+%s.%3N", "-q", "--", "echo", "a"}).out) ==
          "0000000000.000 O: a\n");
}

TEST_CASE("an unfinished line is shown, and marked") {
    Scenario scenario;
    auto prompt = scenario.start(words({"-q"}, "printf 'Name: '; read name; echo \"$name\" >&2"));
    CHECK(prompt.line() == "x O+ Name: ");
    prompt.send("Ada\n");
    CHECK(prompt.line() == "x E: Ada");
    CHECK(prompt.wait().status == 0);
    CHECK(scenario.run(words({"-q"}, "printf end")).out == "x O+ end\n");
    CHECK(scenario.run(words({}, "printf end"))
              .out.ends_with("x O+ end\nx I: Finished with exitcode 0\n"));
}

TEST_CASE("each stream keeps its order, and nothing is lost") {
    Scenario scenario;
    scenario.write_file("script", "i=0; while [ $i -lt 20000 ]; do i=$((i + 1)); echo o$i; "
                                  "[ $((i % 10)) -ne 0 ] || echo e$i >&2; done");
    const auto result = scenario.shell("open3-run -q +x sh script >all && "
                                       "sed -n 's/^x O: o//p' all | cksum && seq 20000 | cksum && "
                                       "sed -n 's/^x E: e//p' all | cksum && seq 10 10 20000 | "
                                       "cksum");
    CHECK(result.status == 0);
    const auto& out = result.out;
    REQUIRE(std::count(out.begin(), out.end(), '\n') == 4);
    std::vector<std::string> sums;
    for (std::size_t at = 0; at < out.size(); at = out.find('\n', at) + 1)
        sums.push_back(out.substr(at, out.find('\n', at) - at));
    CHECK(sums[0] == sums[1]);
    CHECK(sums[2] == sums[3]);
}

#ifndef IPCBOX_ADDRESS_SANITIZER
TEST_CASE("a line of megabytes comes in marked pieces, and in little memory") {
    Scenario scenario;
    const auto result =
        scenario.shell("(ulimit -v 65536; open3-run -q +x sh -c 'head -c 2000000 /dev/zero; echo') "
                       ">all; grep -ac 'x O+ ' all; grep -ac 'x O: ' all; tr -dc '\\0' <all | "
                       "wc -c");
    CHECK(result.err.empty());
    const auto partial = std::stoi(result.out);
    CHECK(partial >= 2000000 / 65536);
    CHECK(result.out.ends_with("\n1\n2000000\n"));
}
#endif

TEST_CASE("-J prints an object for each line") {
    Scenario scenario;
    const auto result =
        scenario.run({"open3-run", "-J", "-q", "--", "sh", "-c", "printf 'a\"\\377\\n\\0b'"});
    const std::string begin =
        R"({"v":0,"time":"0000-00-00T00:00:00.000000Z","stream":"stdout","text":")";
    CHECK(masked(result.out) == begin + "a\\\"\xef\xbf\xbd\",\"partial\":false}\n" + begin +
                                    "\\u0000b\",\"partial\":true}\n");
    CHECK(scenario.run({"open3-run", "-J", "+x", "true"})
              .out.starts_with(
                  R"({"v":1,"time":"x","stream":"info","text":"Started true","partial":false})"));
}

TEST_CASE("times count from the start or from the line before") {
    Scenario scenario;
    const auto script = "echo a; sleep 1.01; echo b";
    const auto lines = "00:00:00 O: a\n00:00:00 O: b\n";
    const auto start = scenario.run({"open3-run", "-qs", "--", "sh", "-c", script}).out;
    CHECK(masked(start) == lines);
    CHECK(start != lines);
    const auto last =
        scenario.run({"open3-run", "-qi", "--", "sh", "-c", script + "; echo c"s}).out;
    CHECK(masked(last).starts_with(lines));
    CHECK_FALSE(last.starts_with(lines));
    // The first line comes in the first second, unless the machine is busy.
    CHECK(eventually([&] {
        return scenario.run({"open3-run", "-qim", "--", "printf", "a\nb\n"}).out == lines;
    }));
    CHECK(masked(scenario.run({"open3-run", "-Jsq", "--", "echo", "a"}).out) ==
          R"({"v":0,"time":"0.000000","stream":"stdout","text":"a","partial":false})"
          "\n");
}

TEST_CASE("each stream goes to its file in a directory") {
    Scenario scenario;
    const auto result =
        scenario.run(words({"--split-dir", "a/b"}, "echo out; echo err >&2; printf rest"));
    CHECK(result.status == 0);
    CHECK(result.out.empty());
    CHECK(scenario.read_file("a/b/stdout") == "x O: out\nx O+ rest\n");
    CHECK(scenario.read_file("a/b/stderr") == "x E: err\n");
    CHECK(scenario.read_file("a/b/info").ends_with("\nx I: Finished with exitcode 0\n"));
}

TEST_CASE("copies are unchanged") {
    Scenario scenario;
    scenario.write_file("o", "old text that is longer");
    const auto script = "printf 'a\\0b\\nc'; printf E >&2";
    CHECK(scenario.run(words({"--tee-out", "o", "--tee-err", "e"}, script)).status == 0);
    CHECK(scenario.read_file("o") == std::string{"a\0b\nc", 5});
    CHECK(scenario.read_file("e") == "E");
}

TEST_CASE("a copy that cannot be written does not stop the rest") {
    Scenario scenario;
    const auto full = scenario.run(words({"-q", "--tee-out", "/dev/full"}, "echo a; echo b >&2"));
    CHECK(full.status == 1);
    CHECK(full.err == "open3-run: cannot write /dev/full: No space left on device\n");
    CHECK(full.out.find("x O: a\n") != std::string::npos);
    CHECK(full.out.find("x E: b\n") != std::string::npos);
    CHECK(scenario.run(words({"--tee-out", "/dev/full"}, "echo a; exit 3")).status == 3);
    const auto none = scenario.run(words({"--tee-out", "no/such/file"}, "echo ran >ran"));
    CHECK(none.status == 125);
    CHECK(none.err == "open3-run: cannot open no/such/file: No such file or directory\n");
    CHECK_FALSE(scenario.exists("ran"));
}

TEST_CASE("--fail-on-stderr makes an error message a failure") {
    Scenario scenario;
    const auto result = scenario.run(words({"--fail-on-stderr"}, "echo oops >&2"));
    CHECK(result.status == 1);
    CHECK(result.err == "open3-run: sh wrote to standard error\n");
    CHECK(scenario.run(words({"--fail-on-stderr"}, "echo fine")).status == 0);
    CHECK(scenario.run(words({"--fail-on-stderr"}, "echo oops >&2; exit 7")).status == 7);
}

TEST_CASE("a command that fails keeps its status although the reader leaves before the last line") {
    Scenario scenario;
    const auto result = scenario.shell(
        "mkfifo left; { open3-run sh -c 'read line <left; exit 3'; echo $? >status; } | "
        "{ head -n1; exec <&-; echo >left; until [ -s status ]; do :; done; cat status; }");
    CHECK(result.out.ends_with("\n3\n"));
}

TEST_CASE("a command whose reader has gone dies of SIGPIPE, and so do we") {
    Scenario scenario;
    const auto result = scenario.shell("{ open3-run -q +x yes; echo $? >status; } | head -n 1");
    CHECK(result.out == "x O: y\n");
    CHECK(result.err.empty());
    CHECK(scenario.read_file("status") == "141\n");
}

TEST_CASE("a copy that may not grow any more does not end the command") {
    Scenario scenario;
    const auto result =
        scenario.shell("ulimit -f 1; exec open3-run -q --tee-out copy -- sh -c 'n=0; "
                       "while [ $n -le 99 ]; do echo a line of this copy, which gets full; "
                       "n=$((n + 1)); done; echo end' | tail -n 1");
    CHECK(contains(result.out, "O: end\n"));
    CHECK(result.err == "open3-run: cannot write copy: File too large\n");
    CHECK(scenario.read_file("copy").size() == 512);
}

TEST_CASE("full standard output is an error") {
    Scenario scenario;
    const auto result = scenario.shell("open3-run -q +x echo a >/dev/full");
    CHECK(result.status == 1);
    CHECK(result.err == "open3-run: cannot write standard output: No space left on device\n");
}

TEST_CASE("a full file for the lines of one stream does not stop the other") {
    Scenario scenario;
    const auto result = scenario.shell("mkdir d; ln -s /dev/full d/stdout; open3-run +x "
                                       "--split-dir d sh -c 'echo a; echo b >&2; echo c'");
    CHECK(result.status == 1);
    CHECK(result.err == "open3-run: cannot write d/stdout: No space left on device\n");
    CHECK(scenario.read_file("d/stderr") == "x E: b\n");
}

TEST_CASE("a signal is passed on, also while nobody reads our output") {
    Scenario scenario;
    auto run = scenario.start(words({}, "trap 'echo got >&2; exit 9' TERM; echo up; "
                                        "while :; do sleep 0.01; done"));
    REQUIRE(run.line().starts_with("x I: Started "));
    REQUIRE(run.line() == "x O: up");
    run.kill(SIGTERM);
    const auto result = run.wait();
    CHECK(result.status == 9);
    CHECK(result.out.find("x E: got\n") != std::string::npos);

    // The shell has the FIFO open for reading, but never reads it.
    auto blocked = scenario.start_shell("mkfifo f; exec 5<>f; exec open3-run -q +x sh -c "
                                        "'echo $$ >pid; exec yes' >f");
    REQUIRE(eventually([&] { return scenario.exists("pid"); }));
    REQUIRE(eventually([&] { return scenario.read_file("pid").ends_with('\n'); }));
    const auto pid = static_cast<pid_t>(std::stoi(scenario.read_file("pid")));
    CHECK(eventually([&] {
        blocked.kill(SIGTERM);
        return has_ended(pid);
    }));
    CHECK(eventually([&] {
        blocked.kill(SIGTERM);
        return !blocked.is_running();
    }));
}

TEST_CASE("open3-run waits for processes that the command leaves running, until a signal comes") {
    Scenario scenario;
    const auto script = "sh -c 'read line <f; echo late' & exit 5";
    const auto late = scenario.shell("mkfifo f; { sleep 0.05; echo >f; } & "
                                     "open3-run -q +x sh -c \"$1\"",
                                     {script});
    CHECK(late.out == "x O: late\n");
    CHECK(late.status == 5);
    auto stuck = scenario.start(words({}, "sleep 1000 & echo up"));
    REQUIRE(stuck.line().starts_with("x I: Started "));
    REQUIRE(stuck.line() == "x O: up");
    CHECK(eventually([&] { return children_of(stuck.pid()).empty(); }));
    stuck.kill(SIGINT);
    const auto result = stuck.wait();
    CHECK(result.status == 0);
    CHECK(result.out == "x I: Finished with exitcode 0\n");
}

TEST_CASE("open3-run waits for a command that closes its outputs") {
    Scenario scenario;
    const auto result = scenario.run(words({}, "exec >&- 2>&-; sleep 0.05; exit 4"));
    CHECK(result.status == 4);
    CHECK(result.out.ends_with("x I: Finished with exitcode 4\n"));
}

TEST_CASE("a command dies with us when we are killed") {
    Scenario scenario;
    auto run = scenario.start(words({"-q"}, "echo $$; exec sleep 1000"));
    const auto line = run.line();
    REQUIRE(line.starts_with("x O: "));
    const auto pid = static_cast<pid_t>(std::stoi(line.substr(5)));
    run.kill(SIGKILL);
    CHECK(run.wait().status == 137);
    CHECK(ends(pid));
}

TEST_CASE("the command has our input and arguments") {
    Scenario scenario;
    CHECK(scenario.run(words({"-q"}, "cat"), "a\nb\n").out == "x O: a\nx O: b\n");
    CHECK(scenario.run({"open3-run", "-q", "+x", "--", "printf", "[%s]\\n", "-q", "a b"}).out ==
          "x O: [-q]\nx O: [a b]\n");
    CHECK(scenario.run({"open3-run", "+x", "true", "a\nb"})
              .out.starts_with("x I: Started true a b\n"));
}

TEST_CASE("an invalid command line is refused before anything runs") {
    Scenario scenario;
    CHECK(scenario.run({"open3-run"}).err ==
          "open3-run: COMMAND is missing (see open3-run --help)\n");
    CHECK(scenario.run({"open3-run", "+x"}).status == 2);
    CHECK(scenario.run({"open3-run", "-is", "true"}).status == 2);
    const auto result = scenario.run({"open3-run", "+%5000d", "true"});
    CHECK(result.status == 2);
    CHECK(result.err == "open3-run: +%5000d: expected a time stamp of at most 1024 bytes (see "
                        "open3-run --help)\n");
    CHECK(scenario.run({"open3-run", "--split-dir", "/dev/null/x", "true"}).status == 125);
}
