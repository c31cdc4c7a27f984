#include "harness/client.h"
#include "harness/scenario.h"
#include "harness/time_limit.h"

#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

constexpr std::string_view greeting =
    "Welcome to command-server; type help for the list of commands.\n";
constexpr std::string_view prompt = "Command? ";

// A server on a free port of loopback.
Words server(const Words& options) {
    Words words{"command-server", "127.0.0.1:0"};
    words.insert(words.end(), options.begin(), options.end());
    return words;
}

// The answer to a client that sends TEXT, without the greeting and the prompts.
std::string answers(const net::Address& address, std::string_view text) {
    auto all = ask(address, text);
    if (all.starts_with(greeting)) all.erase(0, greeting.size());
    for (auto at = all.find(prompt); at != std::string::npos; at = all.find(prompt))
        all.erase(at, prompt.size());
    return all;
}

std::size_t count(std::string_view text, std::string_view piece) {
    std::size_t found = 0;
    for (auto at = text.find(piece); at != std::string_view::npos;
         at = text.find(piece, at + piece.size()))
        ++found;
    return found;
}

} // namespace

TEST_CASE("a client is greeted and asked, and quit ends the session") {
    Scenario scenario;
    auto process = scenario.start(server({}));
    const auto text = ask(ready_address(process), "\n \nhelp\r\nquit\ndate\n");
    CHECK(text.starts_with(fmt::format("{}{}{}{}quit  ", greeting, prompt, prompt, prompt)));
    CHECK(text.ends_with(fmt::format("List the commands\n{}", prompt)));
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}

TEST_CASE("--check looks for programs where the sessions will find them") {
    Scenario scenario;
    scenario.write_file("commands", "far = only-in-our-path\n");
    CHECK(scenario
              .shell("mkdir bin; cp /bin/true bin/only-in-our-path; PATH=$PWD/bin:$PATH; "
                     "command-server --check -f commands")
              .err.find("only-in-our-path") != std::string::npos);
    CHECK(
        scenario.shell("PATH=$PWD/bin:$PATH; command-server --check --keep-env -f commands").out ==
        "1 command\n");
}

TEST_CASE("the built-in commands answer without any program") {
    Scenario scenario;
    auto process = scenario.start(server({}));
    const auto address = ready_address(process);
    CHECK(count(answers(address, "date\n"), "\n") == 1);
    for (const auto* name : {"who\n", "motd\n", "cookie\n"}) {
        CAPTURE(name);
        const auto text = answers(address, name);
        CHECK_FALSE(text.empty());
        CHECK(text.find("unknown command") == std::string::npos);
    }
}

TEST_CASE("words are exact unless --loose is given") {
    Scenario scenario;
    auto exact = scenario.start(server({}));
    CHECK(
        answers(ready_address(exact), "Help me\n").starts_with("unknown command; commands: quit"));
    auto loose = scenario.start(server({"--loose", "--command", "up=echo up"}));
    const auto address = ready_address(loose);
    CHECK(answers(address, "what's UP?\n") == "up\n");
    CHECK(answers(address, "and the Time, please\nexit now\nup\n").find("up") == std::string::npos);
}

TEST_CASE("a command gets its arguments as they are, and no shell sees them") {
    Scenario scenario;
    auto process =
        scenario.start(server({"--command", "say=printf '<%s>' {1:/.*/} 'a b' {2:int 1-9}",
                               "--command", "fail=sh -c 'echo no >&2; exit 3'"}));
    const auto address = ready_address(process);
    CHECK(answers(address, "say $(id);`id`|x>y 7\n") == "<$(id);`id`|x>y><a b><7>\n");
    CHECK(answers(address, "say x 0\n") == "argument 2 is not 1-9; usage: say /.*/ 1-9\n");
    CHECK(answers(address, "say x\n") == "usage: say /.*/ 1-9\n");
    CHECK(answers(address, "fail\n") == "no\n[status 3]\n");
    CHECK_FALSE(scenario.exists("y"));
}

TEST_CASE("a command that lasts or writes too long is killed with all processes that it started") {
    Scenario scenario;
    const auto last = with_time_limit(
        [&](const std::string& limit) {
            scenario.write_file("last", "last = sh -c 'sleep 1000 & echo begun; wait'\n"
                                        "  timeout " +
                                            limit + "\n");
            auto process = scenario.start(server({"-f", "last"}));
            return answers(ready_address(process), "last\n");
        },
        [](const std::string& answer) { return answer.starts_with("begun\n"); });
    CHECK(last.starts_with("begun\nkilled: it ran longer than "));
    CHECK(last.ends_with(" s\n"));
    scenario.write_file("commands", "flood = yes\n"
                                    "  max-output 1000\n");
    auto process = scenario.start(server({"-f", "commands"}));
    const auto flood = answers(ready_address(process), "flood\n");
    CHECK(count(flood, "y\n") == 500);
    CHECK(flood.ends_with("y\nkilled: it wrote more than 1000 bytes\n"));
}

TEST_CASE("a command is killed when its client goes") {
    Scenario scenario;
    scenario.write_file("commands", "last = sh -c 'echo begun; exec sleep 1000'\n");
    auto process = scenario.start(server({"-f", "commands"}));
    Client client{ready_address(process)};
    client.send("last\n");
    (void)client.line();
    CHECK(client.line() == "Command? begun");
    client.reset();
    CHECK_FALSE(log_line(process, "last: killed: the client has gone").empty());
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}

TEST_CASE("concurrency holds for all clients together") {
    Scenario scenario;
    scenario.write_file("commands", "last = sh -c 'echo begun; exec sleep 1000'\n"
                                    "  concurrency 1\n");
    auto process = scenario.start(server({"-f", "commands"}));
    const auto address = ready_address(process);
    {
        Client first{address};
        first.send("last\n");
        (void)first.line();
        CHECK(first.line() == "Command? begun");
        CHECK(answers(address, "last\n") == "busy: at most 1 at a time\n");
        first.reset();
    }
    CHECK_FALSE(log_line(process, "the client has gone").empty());
    Client second{address};
    second.send("last\n");
    (void)second.line();
    CHECK(second.line() == "Command? begun");
}

TEST_CASE("a rate holds for all clients together, and each command has its own") {
    Scenario scenario;
    scenario.write_file("commands", "some = echo some\n"
                                    "  rate 2/1h\n"
                                    "other = echo other\n"
                                    "  rate 1/1h\n");
    auto process = scenario.start(server({"-f", "commands"}));
    const auto address = ready_address(process);
    CHECK(answers(address, "some\n") == "some\n");
    CHECK(answers(address, "some\nsome\nother\n") == "some\ntoo often: at most 2/1h\nother\n");
    CHECK_FALSE(log_line(process, "some: status 1, 0 bytes").empty());
}

TEST_CASE("a command has its own variables and, for root, its own user") {
    Scenario scenario;
    scenario.write_file("commands", "vars = env\n"
                                    "  env A=b c\n"
                                    "user = id -un\n");
    if (::geteuid() == 0)
        scenario.write_file("commands", scenario.read_file("commands") + "  user nobody\n");
    auto process = scenario.start(server({"-f", "commands"}));
    const auto address = ready_address(process);
    const auto variables = answers(address, "vars\n");
    CHECK(variables.find("A=b c\n") != std::string::npos);
    CHECK(variables.find("TCPREMOTEIP=127.0.0.1\n") != std::string::npos);
    if (::geteuid() == 0) CHECK(answers(address, "user\n") == "nobody\n");
}

TEST_CASE("--check names the line and the column of a mistake") {
    Scenario scenario;
    scenario.write_file("good", "a = true\nb = false\n");
    const auto good = scenario.run({"command-server", "--check", "-f", "good"});
    CHECK(good.status == 0);
    CHECK(good.out == "2 commands\n");
    scenario.write_file("bad", "a = true\n  speed 5\n");
    const auto bad = scenario.run({"command-server", "--check", "-f", "bad"});
    CHECK(bad.status == 1);
    CHECK(bad.err.starts_with("command-server: bad:2:3: expected timeout"));
    const auto missing = scenario.run({"command-server", "--command", "a=/nonexistent/x"});
    CHECK(missing.status == 127);
    CHECK(missing.err.starts_with("command-server: --command: a: cannot execute"));
}

TEST_CASE("HUP reads the file again, and keeps the old one when the new one is wrong") {
    Scenario scenario;
    scenario.write_file("commands", "old = echo old\n");
    auto process = scenario.start(server({"-f", "commands"}));
    const auto address = ready_address(process);
    scenario.write_file("commands", "new = echo | new\n");
    process.kill(SIGHUP);
    const auto line = log_line(process, "going on as before");
    CHECK(line.find("commands:1:12: only a shell can act on this |") != std::string::npos);
    CHECK(answers(address, "old\n") == "old\n");
    scenario.write_file("commands", "new = echo new\n");
    process.kill(SIGHUP);
    (void)log_line(process, "server started");
    CHECK(answers(address, "new\n") == "new\n");
}

TEST_CASE("--token-file lets in only clients that know the token") {
    Scenario scenario;
    scenario.write_file("token", "secret words\n");
    REQUIRE(::chmod("token", 0600) == 0);
    auto process = scenario.start(server({"--token-file", "token", "--command", "hi=echo hi"}));
    const auto address = ready_address(process);
    CHECK(answers(address, "secret words\nhi\n") == "Token? hi\n");
    for (const auto* wrong : {"\n", "secret\nhi\n", "secret wordss\nhi\n", "hi\nhi\n"}) {
        CAPTURE(wrong);
        CHECK(answers(address, wrong) == "Token? \nwrong token; goodbye.\n");
    }
    REQUIRE(::chmod("token", 0644) == 0);
    const auto open = scenario.run(server({"--token-file", "token"}));
    CHECK(open.status == 1);
    CHECK(open.err.find("every user can read it") != std::string::npos);
}

TEST_CASE("--protocol json answers each object with one") {
    Scenario scenario;
    auto process = scenario.start(server({"--protocol", "json", "--command", "say=echo {1:/.*/}"}));
    const auto address = ready_address(process);
    CHECK(ask(address, "{\"cmd\":\"say\",\"args\":[\"a \\\"b\\nc\"]}\n") ==
          "{\"v\":1,\"cmd\":\"say\",\"status\":0,\"out\":\"a \\\"b\\nc\\n\"}\n");
    const auto wrong = ask(address, "[]\n{\"cmd\":1}\n{\"cmd\":\"nope\"}\n{\"cmd\":\"say\"}\n");
    CHECK(count(wrong, "\n") == 4);
    CHECK(count(wrong, "\"status\":2") == 3);
    CHECK(count(wrong, "\"status\":127") == 1);
    // A line that makes no sense must not get the output of the command before it.
    CHECK(ask(address, "{\"cmd\":\"say\",\"args\":[\"secret\"]}\n[]\n")
              .ends_with("{\"v\":1,\"cmd\":\"\",\"status\":2,\"out\":\"\",\"error\":\"expected "
                         "{\\\"cmd\\\":NAME,\\\"args\\\":[TEXT,...]}\"}\n"));
}

TEST_CASE("a hostile line ends at the cap, and half a line is never run") {
    Scenario scenario;
    auto process = scenario.start(server({"--command", "hi=echo hi"}));
    const auto address = ready_address(process);
    CHECK(answers(address, std::string(2000, 'x')) ==
          "\nthe line is longer than 1024 bytes; goodbye.\n");
    // The last line arrives even if the client goes on sending.
    CHECK(answers(address, std::string(60'000, 'x')) ==
          "\nthe line is longer than 1024 bytes; goodbye.\n");
    CHECK(answers(address, "hi").empty());
    CHECK(answers(address, std::string_view{"hi\0\n\x1b[2J\nhi\n", 12}) ==
          "a control byte in the line\na control byte in the line\nhi\n");
}

TEST_CASE("an idle client is told so and goes") {
    Scenario scenario;
    auto process = scenario.start(server({"--idle-timeout", "0.1"}));
    Client client{ready_address(process)};
    CHECK(client.rest().ends_with("idle for 0.1 s; goodbye.\n"));
    CHECK_FALSE(log_line(process, "idle for 0.1 s").empty());
}

TEST_CASE("the log has a line for each command, whatever the client sends") {
    Scenario scenario;
    auto process = scenario.start(server({"--protocol", "json"}));
    (void)ask(ready_address(process), "{\"cmd\":\"a\\nb\\u001b[2J\",\"args\":[\"it's\"]}\n");
    const auto line = log_line(process, "status 127");
    CHECK(line.find("'a b^[[2J' 'it'\\''s': status 127") != std::string::npos);
}

TEST_CASE("a quiet log says why a command could not be run, and nothing else") {
    Scenario scenario;
    REQUIRE(scenario.shell("cp /bin/true gone").status == 0);
    auto process = scenario.start(
        server({"-q", "--notify-fd", "1", "--command", "gone=" + scenario.path("gone")}));
    const auto address = announced_address(process.line());
    std::filesystem::remove("gone");
    CHECK(answers(address, "gone\ndate\n").starts_with("the command cannot be run\n"));
    process.kill(SIGTERM);
    const auto result = process.wait();
    CHECK(contains(result.err, ": cannot execute "));
    CHECK(count(result.err, "\n") == 1);
}

TEST_CASE("a log that cannot be written ends no session") {
    Scenario scenario;
    scenario.write_file("log", std::string(64 * 512, '.'));
    for (const std::string log : {"/dev/full", "log"}) {
        auto process = scenario.start_shell("ulimit -f 64; exec command-server --notify-fd 1 "
                                            "127.0.0.1:0 2>>" +
                                            log);
        const auto address = announced_address(process.line());
        CHECK(answers(address, "what\nmotd now\nquit\n").ends_with("\nusage: motd\n"));
        process.kill(SIGTERM);
        CHECK(process.wait().status == 0);
    }
}

TEST_CASE("a limit of files that is too small for the server's plan is an error, not a death") {
    Scenario scenario;
    const auto result = scenario.run({"sh", "-c", "ulimit -f 0; exec command-server 127.0.0.1:0"});
    CHECK(result.status == 1);
    CHECK(result.err == "command-server: cannot write a memory file: File too large\n");
}

TEST_CASE("clients are served at the same time unless --iterative is given") {
    Scenario scenario;
    auto process = scenario.start(server({}));
    const auto address = ready_address(process);
    const Client idle{address};
    CHECK(count(answers(address, "date\n"), "\n") == 1);
    auto one = scenario.start(server({"--iterative", "--over", "busy"}));
    const auto only = ready_address(one);
    Client first{only};
    CHECK(first.line() + "\n" == greeting);
    CHECK(ask(only).starts_with("busy"));
}

TEST_CASE("a Unix socket takes the rules on processes, and TCP does not") {
    Scenario scenario;
    auto process = scenario.start({"command-server", "./sock", "--allow",
                                   fmt::format("uid={}", ::geteuid()), "--command", "hi=echo hi"});
    CHECK(process.error_line() == "command-server: listening on ./sock");
    CHECK(answers(net::Address::unix_path("./sock"), "hi\n") == "hi\n");
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
    CHECK(scenario.run(server({"--allow", "uid=0"})).status == 2);
    CHECK(scenario.run({"command-server", "./sock", "--proxy-protocol"}).status == 2);
    CHECK(scenario.run({"command-server", "./sock", "0"}).status == 2);
}

TEST_CASE("a port without a host is on loopback") {
    Scenario scenario;
    auto process = scenario.start({"command-server", "0"});
    const auto line = process.error_line();
    CAPTURE(line);
    const bool is_loopback =
        line.find(" 127.0.0.1:") != std::string::npos || line.find(" [::1]:") != std::string::npos;
    CHECK(is_loopback);
}
