// Our clients with servers of other projects.
#include "core/error.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// An echo of this size comes back only in part with the client of ncat 7.93. The client of socat
// loses it when the answer is late.
constexpr std::size_t echo_size = 1'288'895;

// The digits at the end of a line.
std::string last_number(const std::string& line) {
    return line.substr(line.find_last_not_of("0123456789") + 1);
}

void check_echo(Scenario& scenario, const Words& client) {
    const auto text = numbered_text(echo_size);
    const auto piped = scenario.run(client, text);
    CHECK(piped.status == 0);
    CHECK(piped.err.empty());
    CHECK(piped.out == text);
    scenario.write_file("in", text);
    CHECK(scenario.shell("\"$@\" <in >out", client).status == 0);
    CHECK(scenario.read_file("out") == text);
}

// A server can say that it listens before it does.
bool answers(Scenario& scenario, const std::string& applet, const std::string& target) {
    return eventually([&] { return scenario.run({applet, "-z", target}).status == 0; });
}

} // namespace

TEST_CASE("our clients work with tcpserver") {
    Scenario scenario;
    auto server = scenario.start({"tcpserver", "-1", "-HRl0", "127.0.0.1", "0", "cat"});
    const auto port = server.line();
    check_echo(scenario, {"tcp-client", "127.0.0.1", port});
    check_echo(scenario, {"tcp-interact", "-q", "127.0.0.1", port});
    check_echo(scenario, {"tcp-interact", "-q", "--twin", "127.0.0.1", port});
    // The UCSPI environment tells the program about our end.
    auto other = scenario.start({"tcpserver", "-1", "-HRl0", "127.0.0.1", "0", "sh", "-c",
                                 "echo $TCPREMOTEIP; cat >/dev/null"});
    CHECK(scenario.run({"tcp-client", "--source", "127.0.0.2", "127.0.0.1:" + other.line()}, "x")
              .out == "127.0.0.2\n");
}

TEST_CASE("our clients work with unixserver and s6-ipcserver") {
    Scenario scenario;
    const auto one = scenario.start({"unixserver", "one", "cat"});
    const auto two = scenario.start({"s6-ipcserver", "two", "cat"});
    for (const char* path : {"one", "two"}) {
        CAPTURE(path);
        CHECK(answers(scenario, "catsock-client", path));
        check_echo(scenario, {"catsock-client", path});
    }
}

TEST_CASE("our clients work with socat") {
    Scenario scenario;
    auto tcp =
        scenario.start({"socat", "-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1,fork", "EXEC:cat"});
    const auto port = last_number(tcp.error_line());
    check_echo(scenario, {"tcp-client", "127.0.0.1", port});
    check_echo(scenario, {"tcp-interact", "-q", "127.0.0.1", port});
    auto local = scenario.start({"socat", "-d", "-d", "UNIX-LISTEN:socket,fork", "EXEC:cat"});
    CHECK(local.error_line().find("listening on") != std::string::npos);
    check_echo(scenario, {"catsock-client", "socket"});
    check_echo(scenario, {"tcp-interact", "-q", "unix:socket"});
    auto named = scenario.start(
        {"socat", "-d", "-d", "ABSTRACT-LISTEN:" + scenario.name().substr(1), "EXEC:cat"});
    CHECK(named.error_line().find("listening on") != std::string::npos);
    CHECK(scenario.run({"catsock-client", scenario.name()}, "hello").out == "hello");
}

TEST_CASE("tcp-client sends its input to a server that only receives") {
    Scenario scenario;
    const auto text = numbered_text(echo_size);
    auto server =
        scenario.start({"socat", "-d", "-d", "-u", "TCP-LISTEN:0,bind=127.0.0.1", "CREATE:got"});
    const auto sent =
        scenario.run({"tcp-client", "127.0.0.1", last_number(server.error_line())}, text);
    CHECK(sent.status == 0);
    CHECK(server.wait().status == 0);
    CHECK(scenario.read_file("got") == text);
}

TEST_CASE("catsock-client receives a file from ncat") {
    // Do not use the echo of ncat: its -e loses bytes that come after the end of the input (7.93).
    Scenario scenario;
    scenario.write_file("file", numbered_text(echo_size));
    auto sender = scenario.start_shell("exec ncat -lU --send-only sender <file");
    CHECK(eventually([&] { return scenario.exists("sender"); }));
    CHECK(scenario.shell("catsock-client --wait sender </dev/null").out ==
          numbered_text(echo_size));
}

TEST_CASE("our clients work with the inetd of OpenBSD") {
    Scenario scenario;
    // inetd cannot choose a port, but it has Unix sockets. For services of our own user, it needs
    // no privilege.
    const auto user = scenario.shell("id -un").out;
    scenario.write_file("inetd.conf",
                        fmt::format("{} stream unix nowait {} /bin/cat cat\n",
                                    scenario.path("socket"), user.substr(0, user.find('\n'))));
    const auto server = scenario.start({"inetd", "-i", "inetd.conf"});
    CHECK(answers(scenario, "catsock-client", "socket"));
    check_echo(scenario, {"catsock-client", "socket"});
}
