#include "core/sanitizer.h"
#include "harness/environment.h"
#include "harness/peer.h"
#include "harness/scenario.h"
#include "harness/screen.h"
#include "harness/time_limit.h"

#include <chrono>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// A program that asks for a name and a password, as many do.
constexpr std::string_view asks = R"(#!/bin/sh
printf 'name: '; read -r name
stty -echo; printf 'password: '; read -r password; stty echo
echo; echo "hello $name, your password is $password"
exit 5
)";

struct Script {
    explicit Script(std::string_view text, std::string_view program = asks) {
        scenario.write_file("script", text);
        scenario.write_file("program", program);
    }
    Result run(Words options = {}) {
        Words words{"pty-expect", "-f", "script", "-t", "20"};
        words.insert(words.end(), options.begin(), options.end());
        words.insert(words.end(), {"--", "sh", "program"});
        return scenario.run(words);
    }
    Scenario scenario;
};

} // namespace

TEST_CASE("a script answers questions, and the status is the command's") {
    Script script{"expect /name: /\nsend \"me\\r\"\nexpect /password: /\nsend \"word\\r\"\n"};
    const auto result = script.run();
    CHECK(result.status == 5);
    CHECK(result.out == "name: me\npassword: \nhello me, your password is word\n");
    CHECK(result.err.empty());
    CHECK(script.run({"--no-echo"}).out == "name: password: \nhello me, your password is word\n");
    CHECK(script.run({"--hide"}).out.empty());
}

TEST_CASE("-e and -s are followed in the order of the command line") {
    Scenario scenario;
    scenario.write_file("program", asks);
    const auto result = scenario.run({"pty-expect", "-s", "me\\r", "-e", "word: ", "-s", "a\\rb",
                                      "-s", "\\r", "-e", "is a\\r\\n", "sh", "program"});
    CHECK(result.status == 5);
    CHECK(contains(result.out, "hello me, your password is a\n"));
}

TEST_CASE("the command has a terminal of its own, and its status is ours") {
    Scenario scenario;
    const auto result = scenario.run(
        {"pty-expect", "-e", "24 80", "sh", "-c", "test -t 0 && test -t 2 && stty size; exit 7"});
    CHECK(result.status == 7);
    CHECK(scenario.run({"pty-expect", "-e", "x", "sh", "-c", "echo x; kill -TERM $$"}).status ==
          128 + SIGTERM);
    CHECK(scenario.run({"pty-expect", "-e", "x", "no-such-program"}).status == 127);
    CHECK(scenario.run({"pty-expect", "-e", "x", "/"}).status == 126);
}

TEST_CASE("a text that does not come in time is status 124, and the last 20 lines are shown") {
    Scenario scenario;
    std::string expected;
    for (int number = 6; number <= 25; ++number)
        expected += fmt::format("pty-expect: | {}\n", number);
    expected += "pty-expect: timed out: line 2: expect /never/\n";
    const auto result = with_time_limit(
        [&](const std::string& limit) {
            return scenario.run({"pty-expect", "-t", limit, "-e", "21", "-e", "never", "--", "sh",
                                 "-c", "seq 25; exec cat"});
        },
        [&](const Result& late) { return late.err == expected; });
    CHECK(result.status == 124);
    CHECK(result.err == expected);
}

TEST_CASE("a command that ends too early fails the talk with its status") {
    Scenario scenario;
    const auto result =
        scenario.run({"pty-expect", "-e", "never", "sh", "-c", "echo first; exit 3"});
    CHECK(result.status == 3);
    CHECK(result.out == "first\n");
    CHECK(result.err ==
          "pty-expect: | first\npty-expect: the output ended before line 1: expect /never/\n");
    CHECK(scenario.run({"pty-expect", "-e", "never", "true"}).status == 1);
}

TEST_CASE("a command that does not end after the script is given up") {
    Scenario scenario;
    const std::string expected = "pty-expect: timed out: the command has not ended\n";
    const auto result = with_time_limit(
        [&](const std::string& limit) {
            return scenario.run(
                {"pty-expect", "-t", limit, "-e", "up", "sh", "-c", "echo up; exec cat"});
        },
        [&](const Result& late) { return contains(late.err, expected); });
    CHECK(result.status == 124);
    CHECK(contains(result.err, expected));
}

TEST_CASE("arms lead on by what comes first, by the time or by the end") {
    Script script{"label again\n"
                  "expect {\n  /retry/ -> again   # comment\n  /denied (.)/ -> denied\n"
                  "  timeout -> exit 8; eof -> exit 9\n}\n"
                  "label denied\nset which \\1\nsend \"${which}\\r\"\nexpect /got 7/\nexit 4\n",
                  "echo retry; echo retry; echo denied 7; read -r x; echo got $x; exec cat\n"};
    CHECK(script.run().status == 4);
    script.scenario.write_file("program", "echo retry\n");
    CHECK(script.run().status == 9);
    script.scenario.write_file("program", "exec cat\n");
    CHECK(script.run({"-t", "50ms"}).status == 8);
}

TEST_CASE("close hangs up, wait waits, timeout changes the limit") {
    Script script{"expect /up/\nclose\n", "trap 'exit 6' HUP; echo up; while :; do read x; done\n"};
    CHECK(script.run().status == 6);
    script.scenario.write_file("program", "echo up; exec cat\n");
    CHECK(script.run().status == 0);
    script.scenario.write_file("script", "timeout 50ms\nexpect /never/\n");
    CHECK(script.run().status == 124);
    script.scenario.write_file("script", "expect /never/ 50ms\n");
    CHECK(script.run().status == 124);
    script.scenario.write_file("script", "wait 50ms\n");
    CHECK(script.run().status == 124);
    script.scenario.write_file("script", "wait\nexit 3\n");
    script.scenario.write_file("program", "exit 5\n");
    CHECK(script.run().status == 3);
}

TEST_CASE("secrets come from the environment, a file or a descriptor, and are never shown") {
    Script script{"expect /name: /\nsend \"me\\r\"\nexpect /word: /\nsend-env PASSWORD\n"
                  "send \"\\r\"\nexpect /is hidden\\r/\n"};
    const Variable password{"PASSWORD", "hidden"};
    SUBCASE("environment") {}
    SUBCASE("file") {
        script.scenario.write_file("secret", "hidden\n");
        script.scenario.write_file(
            "script", "expect /name: /\nsend \"me\\r\"\nexpect /word: /\nsend-file secret\n"
                      "send \"\\r\"\n");
    }
    const auto result = script.run({"--log", "log"});
    CHECK(result.status == 5);
    CHECK(result.out == "name: me\npassword: \nhello me, your password is ********\n");
    CHECK(contains(script.scenario.read_file("log"), "your password is ********\r\n"));
    const auto events = script.run({"-J", "-v"});
    CHECK_FALSE(contains(events.out + events.err, "hidden\""));
    CHECK(contains(events.out, R"("text":"********")"));
}

TEST_CASE("a descriptor with a secret is not handed to the command") {
    Scenario scenario;
    scenario.write_file("script", "expect /word: /\nsend-file /dev/fd/3\nsend \"\\r\"\n");
    const auto result =
        scenario.shell("pty-expect --no-echo -f script -- sh -c 'printf word:\\ ; read -r x; "
                       "test \"$x\" = hidden; echo $?; test -e /proc/self/fd/3 || echo closed' "
                       "3<<END\nhidden\nEND");
    CHECK(result.out == "word: 0\nclosed\n");
    CHECK(result.err.empty());
}

TEST_CASE("a variable that is not there, and a file that is not, end the talk") {
    Script script{"send-env NO_SUCH_VARIABLE\n"};
    auto result = script.run();
    CHECK(result.status == 1);
    CHECK(result.err == "pty-expect: cannot send $NO_SUCH_VARIABLE: there is no such environment "
                        "variable\n");
    script.scenario.write_file("script", "send-file missing\n");
    CHECK(script.run().err == "pty-expect: cannot open missing: No such file or directory\n");
    script.scenario.write_file("script", "send \"${name}\"\n");
    CHECK(script.run().err == "pty-expect: cannot send ${name}: the script has not set it\n");
}

TEST_CASE("mistakes in a script are found before anything runs") {
    Scenario scenario;
    scenario.write_file("script", "expect /a/\n  sned \"b\"\n");
    auto result = scenario.run({"pty-expect", "--check", "-f", "script"});
    CHECK(result.status == 2);
    CHECK(result.err.starts_with("pty-expect: script:2:3: unknown word sned: expected expect,"));
    result = scenario.run({"pty-expect", "-f", "script", "touch", "ran"});
    CHECK(result.status == 2);
    CHECK_FALSE(scenario.exists("ran"));
    for (const std::string_view text :
         {"goto nowhere\n", "expect { /a/ -> exit 1\n", "expect /(/\n", "send \"a\n", "\xff\n"}) {
        CAPTURE(text);
        scenario.write_file("script", text);
        CHECK(scenario.run({"pty-expect", "--check", "-f", "script"}).status == 2);
    }
    CHECK(scenario.run({"pty-expect", "--check", "-f", "missing"}).status == 1);
    CHECK(scenario.run({"pty-expect", "-e", "(", "true"}).status == 2);
    CHECK(scenario.run({"pty-expect", "-s", "\\q", "true"}).status == 2);
    CHECK(scenario.run({"pty-expect", "true"}).status == 2);
    CHECK(scenario.run({"pty-expect", "-e", "x"}).status == 2);
    CHECK(scenario.run({"pty-expect", "-e", "x", "-f", "script", "true"}).status == 2);
    CHECK(scenario.run({"pty-expect", "--buffer", "1", "-e", "x", "true"}).status == 2);
}

TEST_CASE("--check and --dry-run start nothing, and a script can come from standard input") {
    Scenario scenario;
    const std::string text = "expect /a/ 2s # wait\n\nexpect {\n /b/->end\n eof -> exit 3\n} 1m\n"
                             "label end\nsend \"c\\r\"";
    auto result = scenario.run({"pty-expect", "--check", "-f", "-"}, text);
    CHECK(result.status == 0);
    CHECK(result.out.empty());
    result = scenario.run({"pty-expect", "--dry-run", "-f", "-", "touch", "ran"}, text);
    CHECK(result.status == 0);
    CHECK(result.out == "1: expect /a/ 2s\n3: expect { /b/->end; eof -> exit 3 } 1m\n"
                        "8: send \"c\\r\"\n");
    CHECK_FALSE(scenario.exists("ran"));
}

TEST_CASE("-J tells the events, and nothing else") {
    Scenario scenario;
    const auto result = scenario.run(
        {"pty-expect", "-J", "-e", "a", "-s", "b\\r", "--", "sh", "-c", "echo a; read x; exit 3"});
    CHECK(result.status == 3);
    CHECK(result.out ==
          R"({"v":1,"event":"match","line":1,"statement":"expect /a/","text":"a"})"
          "\n"
          R"({"v":1,"event":"send","line":2,"statement":"send \"b\\r\"","text":"b\r"})"
          "\n"
          R"({"v":1,"event":"end","status":3})"
          "\n");
}

TEST_CASE("--strip-ansi finds text between colours, and shows them") {
    Scenario scenario;
    const Words command{"printf", "\\033[1mro\\033[0mot\\033]0;title\\007$ "};
    Words words{"pty-expect", "-e", "root\\$ $", "--"};
    words.insert(words.end(), command.begin(), command.end());
    CHECK(scenario.run(words).status == 1);
    words.insert(words.begin() + 1, "--strip-ansi");
    const auto result = scenario.run(words);
    CHECK(result.status == 0);
    CHECK(result.out == "\x1b[1mro\x1b[0mot\x1b]0;title\a$ ");
}

TEST_CASE("hostile escape sequences do not reach the terminal by an error message") {
    Scenario scenario;
    const auto result =
        scenario.run({"pty-expect", "-e", "never", "printf", "\\033]0;title\\007\\377\\033[6n\\n"});
    CHECK(result.status == 1);
    CHECK(contains(result.err, "| ^[]0;title^G"));
    CHECK_FALSE(contains(result.err, "\x1b"));
}

TEST_CASE("a pattern that backtracks without end is an error") {
    Scenario scenario;
    const auto result = scenario.run({"pty-expect", "-e", "^(a+)+$", "--", "sh", "-c",
                                      "printf aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab; cat"});
    CHECK(result.status == 1);
    CHECK(contains(result.err, "pty-expect: cannot match /^(a+)+$/: match limit exceeded\n"));
}

TEST_CASE("a script that goes round without waiting is an error") {
    Script script{"label a\ngoto a\n", "exec cat\n"};
    const auto result = script.run();
    CHECK(result.status == 1);
    CHECK(result.err == "pty-expect: cannot follow the script: it loops without waiting for "
                        "anything, at line 2: goto a\n");
}

TEST_CASE("much text without a line end is searched to its end, and takes bounded memory") {
    Scenario scenario;
#ifdef IPCBOX_ADDRESS_SANITIZER
    const std::string limit;
#else
    const std::string limit = "ulimit -v 30000; ";
#endif
    const auto result =
        scenario.shell(limit + "pty-expect --hide -t 60 -e 'the end' -- "
                               "sh -c 'head -c 20000000 /dev/zero | tr \"\\0\" x; echo the end'");
    CHECK(result.status == 0);
    CHECK(result.err.empty());
}

TEST_CASE("a command that writes without end does not outlast a limit") {
    Scenario scenario;
    CHECK(scenario.run({"pty-expect", "--hide", "-t", "100ms", "-e", "never", "yes"}).status ==
          124);
    scenario.write_file("script", "wait 100ms\n");
    CHECK(scenario.run({"pty-expect", "--hide", "-f", "script", "yes"}).status == 124);
    scenario.write_file("text", std::string(200'000, 'x'));
    scenario.write_file("script", "timeout 100ms\nsend-file text\n");
    CHECK(scenario.run({"pty-expect", "--hide", "-f", "script", "yes"}).status == 124);
    CHECK(
        scenario
            .run({"pty-expect", "--hide", "-e", "y", "sh", "-c", "trap '' HUP; yes & echo $! >pid"})
            .status == 0);
    ::kill(std::stoi(scenario.read_file("pid")), SIGKILL);
}

TEST_CASE("a process that keeps the terminal open does not keep us") {
    Scenario scenario;
    const auto result = scenario.run({"pty-expect", "-e", "first", "sh", "-c",
                                      "trap '' HUP; sleep 1000 & echo $! >pid; echo first"});
    CHECK(result.status == 0);
    ::kill(std::stoi(scenario.read_file("pid")), SIGKILL);
}

TEST_CASE("a command that closes its terminal and lives on is waited for") {
    Scenario scenario;
    const std::string command = "echo first; exec </dev/null >/dev/null 2>&1; read x <fifo; exit 4";
    CHECK(scenario.shell("mkfifo fifo; echo >fifo & pty-expect -e first sh -c \"$1\"", {command})
              .status == 4);
    const std::string expected =
        "timed out: the command has closed its terminal, and has not ended\n";
    const auto result = with_time_limit(
        [&](const std::string& limit) {
            return scenario.run({"pty-expect", "-t", limit, "-e", "first", "sh", "-c", command});
        },
        [&](const Result& late) { return contains(late.err, expected); });
    CHECK(result.status == 124);
    CHECK(contains(result.err, expected));
}

TEST_CASE("a long line reaches the command whole") {
    Scenario scenario;
    const std::string line(20'000, 'x');
    scenario.write_file("text", line);
    scenario.write_file("script", "expect /go/\nsend-file text\nsend \"\\r\\x04\"\n"
                                  "expect /20001/\n");
    CHECK(scenario.run({"pty-expect", "--no-echo", "-f", "script", "sh", "-c", "echo go; wc -c"})
              .status == 0);
}

TEST_CASE("signals end us and the command") {
    Scenario scenario;
    auto running =
        scenario.start({"pty-expect", "-t", "0", "-e", "never", "sh", "-c", "echo $$; exec cat"});
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

TEST_CASE("a log that cannot be written is reported") {
    Scenario scenario;
    auto result = scenario.run({"pty-expect", "--log", "/dev/full", "-e", "x", "echo", "x"});
    CHECK(result.status == 1);
    CHECK(contains(result.err, "pty-expect: cannot write /dev/full: No space left on device\n"));
    result = scenario.run({"pty-expect", "--log", "no/log", "-e", "x", "echo", "x"});
    CHECK(result.status == 125);
}

TEST_CASE("lost output is one error, and status 1") {
    Scenario scenario;
    for (const char* const option : {"-q", "-J"}) {
        const auto result =
            scenario.shell("pty-expect $1 -e x echo x >/dev/full", {std::string{option}});
        CHECK(result.status == 1);
        CHECK(result.err == "pty-expect: cannot write standard output: No space left on device\n");
    }
}

TEST_CASE("without a script's interact, standard input is left alone") {
    Scenario scenario;
    CHECK(scenario
              .shell("printf 'a\\nb\\n' | while read -r line; do pty-expect -e $line echo $line; "
                     "done")
              .out == "a\nb\n");
}

TEST_CASE("interact types what standard input has, and then its end") {
    Scenario scenario;
    auto result = scenario.run({"pty-expect", "--no-echo", "-i", "sort"}, "b\na");
    CHECK(result.status == 0);
    CHECK(result.out == "a\nb\n");
    result = scenario.run({"pty-expect", "--no-echo", "-s", "c\\r", "-i", "sort"}, "b\n");
    CHECK(result.out == "b\nc\n");
}

TEST_CASE("every reader finds the end of the input of interact") {
    Scenario scenario;
    const auto result = scenario.run(
        {"pty-expect", "--no-echo", "-i", "--", "sh", "-c", "cat; cat; echo done"}, "in\n");
    CHECK(result.status == 0);
    CHECK(result.out == "in\ndone\n");
}

TEST_CASE("interact ends at its escape, whose keys are not typed, and the script goes on") {
    Scenario scenario;
    scenario.write_file("script",
                        "interact /~\\./\nsend \"end\\r\"\nexpect /got end\\r\\n/\nexit 6\n");
    const auto result = scenario.run({"pty-expect", "--no-echo", "-f", "script", "sh", "-c",
                                      "while read -r line; do echo \"got $line\"; done"},
                                     "one ~ two\n~.");
    CHECK(result.status == 6);
    CHECK(result.out == "got one ~ two\ngot end\n");
}

TEST_CASE("on a terminal, interact types each key, follows the size and leaves by its escape") {
    Scenario scenario;
    scenario.write_file("script", "expect /name: /\nsend \"me\\r\"\nexpect /me\\r/\n"
                                  "interact /\\x1d/\nsend \"end\\r\"\nexpect /got end/\nexit 6\n");
    scenario.write_file("program", "printf 'name: '; read -r x; trap 'stty size' WINCH\n"
                                   "trap 'echo interrupted' INT\n"
                                   "while :; do read -r x && echo \"got $x\"; done\n");
    const Screen screen{scenario, "pty-expect -f script -- sh program"};
    CHECK(screen.shows("name: me"));
    screen.type("hello");
    screen.key("Enter");
    CHECK(screen.shows("got hello"));
    screen.key("C-c");
    CHECK(screen.shows("interrupted"));
    screen.resize(50, 10);
    CHECK(screen.shows("10 50"));
    screen.key("C-]");
    CHECK(screen.shows("got end"));
    CHECK(screen.shows("left with 6"));
    CHECK(screen.is_as_before());
}

TEST_CASE("a person can go on typing keys after we were stopped and continued") {
    Scenario scenario;
    scenario.write_file("program", "trap 'stty size' WINCH; trap 'echo interrupted' INT\n"
                                   "echo $PPID >pid; echo up; while :; do sleep 0.01; done\n");
    const Screen screen{scenario, "set -m; pty-expect -i -- sh program"};
    CHECK(screen.shows("up"));
    REQUIRE(scenario.shell("kill -STOP $(cat pid)").status == 0);
    CHECK(screen.shows("left with"));
    // The terminal still delivers single keys, and Enter ends no line there.
    screen.type("stty sane");
    screen.key("C-j");
    CHECK(screen.is_as_before());
    screen.resize(50, 10);
    screen.type("fg");
    screen.key("Enter");
    CHECK(screen.shows("10 50"));
    screen.key("C-c");
    CHECK(screen.shows("interrupted"));
    REQUIRE(scenario.shell("kill -TERM $(cat pid)").status == 0);
}

TEST_CASE("the terminal is as it was when we are killed while a person types") {
    Scenario scenario;
    const Screen screen{scenario, "pty-expect -i -- sh -c 'echo $PPID >pid; echo up; read line'"};
    CHECK(eventually([&] { return scenario.shell("kill -KILL $(cat pid)").status == 0; }));
    CHECK(screen.shows("left with 137"));
    CHECK(screen.is_as_before());
}

namespace {

// A server that asks and answers like the manual page's.
void serve(const Fd& client) {
    say(client, "Command? ");
    std::string line;
    for (char byte = 0; ::read(client.get(), &byte, 1) == 1;) {
        if (byte != '\n') {
            line += byte;
            continue;
        }
        if (line == "quit") return;
        if (line == "reset") return reset_when_closed(client);
        say(client, "no " + line + "\r\nCommand? ");
        line.clear();
    }
}

} // namespace

TEST_CASE("--tcp and --unix talk to a server") {
    Scenario scenario;
    const Words talk{"-e", "\\? $", "-s", "abc\\n", "-e", "no abc\\r\\n.*\\? ", "-s", "quit\\n"};
    std::optional<Peer> server;
    Words words{"pty-expect"};
    SUBCASE("tcp") {
        server.emplace(serve);
        words.insert(words.end(), {"--tcp", server->text()});
    }
    SUBCASE("unix") {
        server.emplace(net::Address::unix_path(scenario.path("socket")), serve);
        words.insert(words.end(), {"--unix", "socket"});
    }
    words.insert(words.end(), talk.begin(), talk.end());
    const auto result = scenario.run(words);
    CHECK(result.status == 0);
    CHECK(result.out == "Command? no abc\nCommand? ");
    CHECK(result.err.empty());
}

TEST_CASE("a server that is not there, resets or stays is reported") {
    Scenario scenario;
    const RefusedPort refused;
    const auto at = fmt::format("127.0.0.1:{}", refused.number());
    auto result = scenario.run({"pty-expect", "--tcp", at, "-e", "x"});
    CHECK(result.status == 1);
    CHECK(result.err == fmt::format("pty-expect: cannot connect to {}: Connection refused\n", at));
    const Peer server{serve};
    result = scenario.run({"pty-expect", "--tcp", server.text(), "-s", "reset\\n", "-e", "never"});
    CHECK(result.status == 1);
    CHECK(contains(result.err, "Connection reset by peer"));
    result = scenario.run({"pty-expect", "--tcp", server.text(), "-f", "-"},
                          "expect /\\? /\ntimeout 100ms\n");
    CHECK(result.status == 124);
    CHECK(contains(result.err, "timed out: the server has not closed the connection"));
    CHECK(scenario.run({"pty-expect", "--tcp", "nonsense:", "-e", "x"}).status == 2);
    CHECK(scenario.run({"pty-expect", "--tcp", server.text(), "-e", "x", "true"}).status == 2);
    CHECK(scenario.run({"pty-expect", "--unix", "missing", "-e", "x"}).status == 1);
}

TEST_CASE("interact ends the input of a server at standard input's end") {
    Scenario scenario;
    const Peer server{echo};
    const auto result = scenario.run({"pty-expect", "--tcp", server.text(), "-i"}, "one\ntwo\n");
    CHECK(result.status == 0);
    CHECK(result.out == "one\ntwo\n");
}

TEST_CASE("more than a server takes at once reaches it, while it answers") {
    Scenario scenario;
    const Peer server{echo};
    const std::string text = numbered_text(200'000);
    scenario.write_file("text", text);
    scenario.write_file("script", "send-file text\nsend \"end\"\nexpect /end$/ 30s\nclose\n");
    CHECK(scenario.run({"pty-expect", "--tcp", server.text(), "--hide", "-f", "script"}).status ==
          0);
}

TEST_CASE("--record writes a script of what a person types, and it can be followed") {
    Scenario scenario;
    scenario.write_file("program", asks);
    {
        const Screen screen{scenario, "pty-expect --record script -- sh program"};
        CHECK(screen.shows("name:"));
        screen.type("mee");
        screen.key("BSpace");
        screen.key("Enter");
        CHECK(screen.shows("password:"));
        screen.type("hidden");
        screen.key("Enter");
        CHECK(screen.shows("hello me, your password is hidden"));
        CHECK(screen.shows("left with 5"));
    }
    CHECK(scenario.read_file("script") ==
          "# Recorded. Follow it by:\n# pty-expect --strip-ansi -f script -- sh program\n"
          "expect /^name: /m\nsend \"me\\r\"\nexpect /^password: /m\nsend-env PASSWORD\n"
          "send \"\\r\"\n");
    const Variable password{"PASSWORD", "again"};
    const auto result = scenario.shell("$(sed -n '2s/^# //p' script)");
    CHECK(result.status == 5);
    CHECK(contains(result.out, "hello me, your password is ********"));
}

TEST_CASE("--record works only with a command") {
    Scenario scenario;
    CHECK(scenario.run({"pty-expect", "--record", "s", "-e", "x", "true"}).status == 2);
    CHECK(scenario.run({"pty-expect", "--record", "s", "--tcp", "localhost:1"}).status == 2);
    CHECK(scenario.run({"pty-expect", "--record", "no/s", "true"}).status == 125);
    CHECK(scenario.run({"pty-expect", "--record", "/dev/full", "true"}).status == 125);
}

TEST_CASE("a log beyond the limit of a file is an error, not a death by XFSZ") {
    Scenario scenario;
    const auto result = scenario.shell("ulimit -f 0; exec pty-expect --log log -e x -- echo x");
    CHECK(result.status == 1);
    CHECK(contains(result.err, "pty-expect: cannot write log: File too large\n"));
}
