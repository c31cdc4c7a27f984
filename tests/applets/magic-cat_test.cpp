#include "core/process_info.h"
#include "harness/http_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

TEST_CASE("files, commands and standard input come out in the order of the arguments") {
    Scenario scenario;
    scenario.write_file("f1", "one\n");
    scenario.write_file("f2", "no line feed");
    const auto result = scenario.run({"magic-cat", "f1", "echo two|", "-", "f2"}, "three\n");
    CHECK(result.status == 0);
    CHECK(result.out == "one\ntwo\nthree\nno line feed");
    CHECK(result.err.empty());
    CHECK(scenario.run({"magic-cat"}, "input").out == "input");
    CHECK(scenario.run({"magic-cat", "--literal"}, "input").out == "input");
}

TEST_CASE("every source that fails is one line and status 1, and the others are written") {
    Scenario scenario;
    scenario.write_file("f", "text\n");
    const auto result = scenario.run({"magic-cat", "missing", "f", "sh -c 'echo x; exit 3'|",
                                      "no-such-program|", ".", "sh -c 'kill -TERM $$'|", "f"});
    CHECK(result.status == 1);
    CHECK(result.out == "text\nx\ntext\n");
    CHECK(result.err == "magic-cat: cannot open missing: No such file or directory\n"
                        "magic-cat: sh -c 'echo x; exit 3'|: exit 3\n"
                        "magic-cat: cannot execute no-such-program: No such file or directory\n"
                        "magic-cat: cannot read .: Is a directory\n"
                        "magic-cat: sh -c 'kill -TERM $$'|: killed by TERM\n");
}

TEST_CASE("with --fail-fast the first failure is the last source") {
    Scenario scenario;
    const auto result =
        scenario.run({"magic-cat", "--fail-fast", "echo a|", "false|", "touch ran|"});
    CHECK(result.status == 1);
    CHECK(result.out == "a\n");
    CHECK_FALSE(scenario.exists("ran"));
}

TEST_CASE("lines are numbered through all sources, as cat does") {
    Scenario scenario;
    scenario.write_file("f", "a\nb");
    CHECK(scenario.run({"magic-cat", "-n", "f", "printf 'c\\nd\\n'|"}).out ==
          "     1\ta\n     2\tbc\n     3\td\n");
}

TEST_CASE("a header or a prefix tells where the lines come from") {
    Scenario scenario;
    scenario.write_file("f", "a\nb");
    CHECK(scenario.run({"magic-cat", "--prefix", "f", "echo c|"}).out ==
          "f: a\nf: b\necho c|: c\n");
    CHECK(scenario.run({"magic-cat", "-H", "f", "echo c|"}).out ==
          "==> f <==\na\nb\n\n==> echo c| <==\nc\n");
    CHECK(scenario.run({"magic-cat", "-n", "--prefix", "f"}).out == "f:      1\ta\nf:      2\tb");
}

TEST_CASE("sources can be read from a list") {
    Scenario scenario;
    scenario.write_file("f", "text\n");
    CHECK(scenario.run({"magic-cat", "-f", "-", "echo first|"}, "f\n\necho last|\n").out ==
          "first\ntext\nlast\n");
    scenario.write_file("list", std::string_view{"f\0f\0", 4});
    CHECK(scenario.run({"magic-cat", "-0f", "list"}).out == "text\ntext\n");
    CHECK(scenario.run({"magic-cat", "-f", "-", "-"}).status == 2);
    CHECK(scenario.run({"magic-cat", "-0", "f"}).status == 2);
}

TEST_CASE("a file whose name looks like a command is never run by accident") {
    Scenario scenario;
    scenario.write_file("touch ran|", "harmless\n");
    const auto doubtful = scenario.shell("magic-cat *");
    CHECK(doubtful.status == 1);
    CHECK(doubtful.err == "magic-cat: cannot read touch ran|: a file has this name; write "
                          "./touch ran| for the file, or use --exec for the command\n");
    CHECK(scenario.shell("magic-cat ./*").out == "harmless\n");
    CHECK(scenario.shell("magic-cat --literal -- *").out == "harmless\n");
    CHECK_FALSE(scenario.exists("ran"));
    CHECK(scenario.run({"magic-cat", "--exec", "touch ran|"}).status == 0);
    CHECK(scenario.exists("ran"));
}

TEST_CASE("a > at the front empties no file") {
    Scenario scenario;
    scenario.write_file("f", "kept");
    CHECK(scenario.run({"magic-cat", ">f"}).status == 1);
    CHECK(scenario.read_file("f") == "kept");
}

TEST_CASE("with --shell a command line is the shell's") {
    Scenario scenario;
    CHECK(scenario.run({"magic-cat", "--shell", "echo a | tr a b|"}).out == "b\n");
    CHECK(scenario.run({"magic-cat", "--shell", "--literal", "f"}).status == 2);
}

TEST_CASE("a file is not copied into itself") {
    Scenario scenario;
    scenario.write_file("f", "text\n");
    const auto result = scenario.shell("magic-cat f >>f");
    CHECK(result.status == 1);
    CHECK(result.err == "magic-cat: cannot read f: it is also the output\n");
    CHECK(scenario.read_file("f") == "text\n");
    CHECK(scenario.shell(": >empty; magic-cat empty >>empty").status == 0);
}

TEST_CASE("with --parallel commands run ahead, and the order stays") {
    Scenario scenario;
    // The first command ends only after the second one has run.
    REQUIRE(scenario.shell("mkfifo go").status == 0);
    const auto result = scenario.run(
        {"magic-cat", "--parallel", "2", "cat go|", "sh -c 'echo now >go; echo second'|"});
    CHECK(result.status == 0);
    CHECK(result.out == "now\nsecond\n");
}

TEST_CASE("bytes of every value and long lines come through unchanged") {
    Scenario scenario;
    const auto result = scenario.shell(
        "head -c 100000 /dev/zero >f; printf 'a\\377\\000b' >>f; magic-cat f 'cat f|' >out;"
        "cat f f | cmp - out && magic-cat -n f | tail -c 100004 | cmp - f");
    CHECK(result.status == 0);
    CHECK(result.err.empty());
}

TEST_CASE("a lost write is a failure") {
    Scenario scenario;
    scenario.write_file("f", "text\n");
    const auto full = scenario.shell("magic-cat f >/dev/full");
    CHECK(full.status == 1);
    CHECK(full.err == "magic-cat: cannot write standard output: No space left on device\n");
    CHECK(scenario.shell("magic-cat --prefix 'echo a|' >/dev/full").status == 1);
    CHECK(scenario.run({"bash", "-c", "magic-cat yes\\| | head -n1; echo ${PIPESTATUS[0]}"}).out ==
          "y\n141\n");
}

TEST_CASE("the commands end when their runner is killed") {
    Scenario scenario;
    auto running = scenario.start({"magic-cat", "sh -c 'echo $$; exec sleep 1000'|"});
    const auto sleeper = std::stoi(running.line());
    running.kill(SIGKILL);
    CHECK(running.wait().status == 128 + SIGKILL);
    CHECK(eventually([sleeper] { return !find_process(sleeper); }));
}

TEST_CASE("with --net, servers are sources in their turn") {
    Scenario scenario;
    scenario.write_file("f", "file\n");
    const Peer tcp{[](const Fd& client) {
        CHECK(receive_all(client).empty());
        say(client, "tcp\n");
    }};
    const auto path = scenario.path("socket");
    const Peer unix_peer{net::Address::unix_path(path),
                         [](const Fd& client) { say(client, "unix\n"); }};
    const HttpPeer http{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/moved") return answer("301 Moved", "Location: /there\r\n");
        return ok("http " + request.target() + "\n");
    }};
    const auto result = scenario.run({"magic-cat", "--net", "f", "tcp:" + tcp.text(),
                                      http.url("/moved"), "unix:" + path, "echo command|"});
    CHECK(result.status == 0);
    CHECK(result.out == "file\ntcp\nhttp /there\nunix\ncommand\n");
    CHECK(result.err.empty());
    CHECK(scenario.run({"magic-cat", "--net", "--prefix", "-n", http.url("/a")}).out ==
          http.url("/a") + ":      1\thttp /a\n");
    CHECK(scenario.run({"magic-cat", "--net", "-H", "tcp:" + tcp.text()}).out ==
          "==> tcp:" + tcp.text() + " <==\ntcp\n");
}

TEST_CASE("each server that fails is one line and status 1, and the others are written") {
    Scenario scenario;
    const RefusedPort refused;
    const HttpPeer http{[](const HttpRequest& request) -> HttpAnswer {
        if (request.target() == "/short")
            return {"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nbe\n", Then::close};
        return answer("404 Not Found", {}, "a page that nobody asked for");
    }};
    const Peer tcp{[](const Fd& client) { say(client, "text\n"); }};
    const auto nowhere = fmt::format("tcp:127.0.0.1:{}", refused.number());
    const auto result =
        scenario.run({"magic-cat", "--net", nowhere, "unix:nothing", "tcp:80", "tcp:", "http://[/",
                      http.url("/missing"), http.url("/short"), "tcp:" + tcp.text()});
    CHECK(result.status == 1);
    CHECK(result.out == "be\ntext\n");
    CHECK(std::ranges::count(result.err, '\n') == 7);
    for (const auto& text : {nowhere.substr(4), std::string{"nothing"}, std::string{"tcp:80"},
                             std::string{"http://[/"}, http.url("/missing"), http.url("/short")})
        CHECK(result.err.find(text) != std::string::npos);
    CHECK(scenario.run({"magic-cat", "--net", "unix:"}).err ==
          "magic-cat: cannot read unix:: a Unix socket needs a path or a @name\n");
    const auto fast = scenario.run({"magic-cat", "--net", "--fail-fast", nowhere, "echo x|"});
    CHECK(fast.status == 1);
    CHECK(fast.out.empty());
}

TEST_CASE("an answer that a reset cuts off is a failure") {
    Scenario scenario;
    const Peer tcp{[](const Fd& client) {
        CHECK(receive_all(client).empty());
        say(client, "half");
        reset_when_closed(client);
    }};
    const auto result =
        scenario.shell("{ magic-cat --net tcp:" + tcp.text() + "; echo $? >&2; } | cat");
    CHECK(result.err ==
          "magic-cat: cannot read tcp:" + tcp.text() + ": Connection reset by peer\n1\n");
}

TEST_CASE("without --net, a server's name is a file's, and with it a file of that name stops us") {
    Scenario scenario;
    scenario.write_file("tcp:localhost:1", "file\n");
    CHECK(scenario.run({"magic-cat", "tcp:localhost:1"}).out == "file\n");
    CHECK(scenario.run({"magic-cat", "--net", "./tcp:localhost:1"}).out == "file\n");
    const auto result = scenario.run({"magic-cat", "--net", "tcp:localhost:1"});
    CHECK(result.status == 1);
    CHECK(result.err == "magic-cat: cannot read tcp:localhost:1: a file has this name; write "
                        "./tcp:localhost:1 for the file, or leave out --net\n");
    CHECK(scenario.run({"magic-cat", "--net", "--literal", "f"}).status == 2);
}

TEST_CASE("a server's bytes that nobody takes are a failure") {
    Scenario scenario;
    const Peer tcp{[](const Fd& client) { say(client, "text\n"); }};
    const HttpPeer http{[](const HttpRequest&) { return HttpAnswer{ok("text\n")}; }};
    for (const auto& source : {"tcp:" + tcp.text(), http.url("/")}) {
        const auto result = scenario.shell("magic-cat --net " + source + " >/dev/full");
        CHECK(result.status == 1);
        CHECK(result.err == "magic-cat: cannot write standard output: No space left on device\n");
    }
}

TEST_CASE("a list of sources can begin with a byte order mark") {
    Scenario scenario;
    scenario.write_file("file", "text\n");
    scenario.write_file("list", "\xef\xbb\xbf"
                                "file\n");
    CHECK(scenario.run({"magic-cat", "-f", "list"}).out == "text\n");
    CHECK(scenario.run({"magic-cat", ""}).err ==
          "magic-cat: cannot open '': No such file or directory\n");
}
