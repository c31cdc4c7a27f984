#include "core/error.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// More than a pipe holds, but not much more, because the fault tests move it byte by byte.
constexpr std::size_t echo_size = 100'003;

void greet(const Fd& client) {
    say(client, "hello\n");
}

} // namespace

TEST_CASE("catsock-client prints the answer of a server at a path and at a name") {
    Scenario scenario;
    for (const auto& place : {scenario.path("socket"), scenario.name()}) {
        const Peer server{net::Address::unix_path(place), greet};
        const auto result = scenario.run({"catsock-client", place});
        CHECK(result.status == 0);
        CHECK(result.out == "hello\n");
        CHECK(result.err.empty());
        CHECK(scenario.run({"catsock-client", "-v", place}).err ==
              fmt::format("catsock-client: connected to {}\n", place));
    }
}

TEST_CASE("the client sends its input, ends it, and waits for the answer") {
    Scenario scenario;
    const Peer server{net::Address::unix_path(scenario.path("socket")), echo};
    const auto text = numbered_text(echo_size);
    const auto piped = scenario.run({"catsock-client", "socket"}, text);
    CHECK(piped.status == 0);
    CHECK(piped.out == text);
    scenario.write_file("in", text);
    CHECK(scenario.shell("catsock-client socket <in >>out").status == 0);
    CHECK(scenario.read_file("out") == text);
    CHECK(scenario.run({"catsock-client", "-q", "-o", "got", "socket"}, text).out.empty());
    CHECK(scenario.read_file("got") == text);
}

TEST_CASE("a client ends when the server closes, although its input never ends") {
    Scenario scenario;
    const Peer server{net::Address::unix_path(scenario.path("socket")), [](const Fd& client) {
                          char byte = 0;
                          (void)::recv(client.get(), &byte, 1, 0);
                      }};
    // A Unix socket reports that its peer has closed, so the client has nothing to wait for.
    auto client = scenario.start_shell("(echo; read line) | catsock-client socket");
    CHECK(eventually([&] { return scenario.shell("catsock-client -z socket").status == 0; }));
    client.close_input();
    CHECK(client.wait().status == 0);
}

TEST_CASE("a client that nobody answers names the reason") {
    Scenario scenario;
    const auto missing = scenario.run({"catsock-client", "socket"});
    CHECK(missing.status == 1);
    CHECK(missing.err == "catsock-client: cannot connect to socket: No such file or directory\n");
    scenario.write_file("file", "");
    CHECK(scenario.run({"catsock-client", "file"}).err ==
          "catsock-client: cannot connect to file: Connection refused (it is not a socket)\n");
    const auto tested = scenario.run({"catsock-client", "-z", "socket"});
    CHECK(tested.status == 1);
    CHECK(tested.err.empty());
    CHECK(scenario.run({"catsock-client", "--wait", "-w", "0.1", "socket"}).status == 124);
    CHECK(scenario.run({"catsock-client", "-w", "50ms", "--wait-for", "socket", "--", "true"})
              .status == 124);
    CHECK(scenario.run({"catsock-client", std::string(4096, 'x')}).status == 2);
    CHECK(scenario.run({"catsock-client", ""}).status == 2);
}

TEST_CASE("a client waits for a full backlog, for at most the time of -w") {
    Scenario scenario;
    const Fd server = listen_at(net::Address::unix_path(scenario.path("socket")), 0);
    auto first = scenario.start({"catsock-client", "socket"});
    REQUIRE(eventually([&] { return is_blocked_in(first.pid(), SYS_ppoll); })); // it has connected
    CHECK(eventually([&] {
        return scenario.run({"catsock-client", "-z", "-w", "50ms", "socket"}).status == 124;
    }));
    const Fd connection = Fd::adopt(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC));
    say(connection, "in\n");
    CHECK(first.line() == "in");
}

TEST_CASE("--wait-for waits for a server that comes later") {
    Scenario scenario;
    auto client = scenario.start({"catsock-client", "--wait-for", "socket", "--", "echo", "here"});
    CHECK(eventually([&] { return is_blocked_in(client.pid(), SYS_ppoll); }));
    const Peer server{net::Address::unix_path(scenario.path("socket")), greet};
    CHECK(client.line() == "here");
    CHECK(client.wait().status == 0);
    CHECK(scenario.run({"catsock-client", "--wait-for", "none", "--wait-for", "socket", "--any"})
              .status == 0);
}

TEST_CASE("input that the server does not take is an error, and its answer arrives") {
    Scenario scenario;
    const Peer server{net::Address::unix_path(scenario.path("socket")), [](const Fd& client) {
                          char byte = 0;
                          (void)::recv(client.get(), &byte, 1, 0);
                          ::shutdown(client.get(), SHUT_RD);
                          say(client, "enough\n");
                      }};
    const auto result = scenario.run({"catsock-client", "socket"}, numbered_text(echo_size));
    CHECK(result.status == 1);
    CHECK(result.out == "enough\n");
    // The server closes with unread bytes, so the client gets a reset.
    const bool reset =
        result.err == "catsock-client: cannot read socket: Connection reset by peer\n";
    CHECK((reset || result.err == "catsock-client: cannot write socket: Broken pipe\n"));
}

TEST_CASE("limits end the client, and reports tell what it did") {
    Scenario scenario;
    const Peer server{net::Address::unix_path(scenario.path("socket")), echo};
    const auto cut = scenario.run({"catsock-client", "--max-bytes", "4", "socket"}, "12345");
    CHECK(cut.status == 1);
    CHECK(cut.out == "1234");
    auto idle = scenario.start({"catsock-client", "-i", "50ms", "socket"});
    CHECK(eventually([&] { return !idle.is_running(); }));
    CHECK(idle.wait().status == 124);
    const auto json = scenario.run({"catsock-client", "-J", "-o", "out", "socket"}, "12345");
    CHECK(json.out.ends_with(R"("sent":5,"received":5})"
                             "\n"));
    CHECK(scenario.run({"catsock-client", "-J", "socket"}).status == 2);
    CHECK(scenario.shell("catsock-client socket >/dev/full", {}, "12345").status == 1);
}
