// Clients and programs of other projects with our servers. Users of tcpserver, unixserver, s6,
// socat and ncat find what they expect.
#include "harness/client.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

Words with(Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
}

struct Service {
    Process process;
    net::Address address;
};

Service serve_ours(Scenario& scenario, const Words& program) {
    auto process = scenario.start(
        with({"forking-tcp-server", "-q", "--notify-fd", "1", "127.0.0.1:0", "--"}, program));
    const auto address = announced_address(process.line());
    return {std::move(process), address};
}

// This tcpserver looks up no names, and prints its port.
Service serve_tcpserver(Scenario& scenario, const Words& program) {
    auto process = scenario.start(with({"tcpserver", "-1RHl0", "127.0.0.1", "0"}, program));
    const auto port = net::HostPort::parse(process.line()).port;
    return {std::move(process), net::Address::parse_ip("127.0.0.1", port).value()};
}

constexpr auto sock = "./sock";

Process serve_ours_unix(Scenario& scenario, const Words& program) {
    auto process =
        scenario.start(with({"catsock-server", "-q", "--notify-fd", "1", sock, "--"}, program));
    CHECK(process.line() == std::string{"listening on "} + sock);
    return process;
}

// How a client of another project sends "hello" to an echo server and prints the answer. $1 and $2
// are the address.
struct Caller {
    const char* name;
    const char* script;
};

} // namespace

TEST_CASE("other TCP clients work with our servers") {
    Scenario scenario;
    const auto service = serve_ours(scenario, {"cat"});
    const auto port = fmt::format("{}", service.address.port());
    for (const auto& client :
         {Caller{"socat", "echo hello | socat -t 30 - TCP:$1:$2"},
          Caller{"ncat", "echo hello | ncat $1 $2"},
          Caller{"busybox", "echo hello | busybox nc $1 $2"},
          Caller{"tcpclient", "tcpclient -RHl0 $1 $2 sh -c 'echo hello >&7; head -n 1 <&6'"},
          Caller{"bash", "bash -c 'exec 3<>/dev/tcp/$1/$2; echo hello >&3; head -n 1 <&3' - $1 $2"},
          Caller{"tcp-client", "echo hello | tcp-client $1 $2"}}) {
        CAPTURE(client.name);
        const auto result = scenario.shell(client.script, {"127.0.0.1", port});
        CHECK(result.status == 0);
        CHECK(result.out == "hello\n");
    }
}

TEST_CASE("other clients of a Unix socket work with our server") {
    Scenario scenario;
    const auto process = serve_ours_unix(scenario, {"cat"});
    for (const auto& client :
         {Caller{"socat", "echo hello | socat -t 30 - UNIX:$1"},
          Caller{"ncat", "echo hello | ncat -U $1"},
          Caller{"unixclient", "unixclient $1 sh -c 'echo hello >&7; head -n 1 <&6'"},
          Caller{"s6-ipcclient", "s6-ipcclient $1 sh -c 'echo hello >&7; head -n 1 <&6'"},
          Caller{"catsock-client", "echo hello | catsock-client $1"}}) {
        CAPTURE(client.name);
        const auto result = scenario.shell(client.script, {sock});
        CHECK(result.status == 0);
        CHECK(result.out == "hello\n");
    }
}

TEST_CASE("a large echo through socat comes back whole after its half-close") {
    Scenario scenario;
    const auto text = numbered_text(1'288'895);
    scenario.write_file("text", text);
    const auto service = serve_ours(scenario, {"cat"});
    CHECK(scenario
              .shell("socat -t 30 - TCP:127.0.0.1:$1 <text",
                     {fmt::format("{}", service.address.port())})
              .out == text);
    const auto process = serve_ours_unix(scenario, {"cat"});
    CHECK(scenario.shell("socat -t 30 - UNIX:./sock <text").out == text);
}

TEST_CASE("programs that were written for tcpserver work with our server") {
    Scenario scenario;
    scenario.write_file("tells", "#!/bin/sh\n"
                                 "echo $PROTO $TCPLOCALIP $TCPREMOTEIP ${TCPREMOTEHOST-no name}\n"
                                 "test $TCPLOCALPORT -gt 0 && test $TCPREMOTEPORT -gt 0 && cat\n");
    REQUIRE(::chmod("tells", 0755) == 0);
    const std::string text = "one\ntwo\r\nthree\n";
    struct Program {
        Words words;
        std::string answer;
    };
    for (const auto& program :
         {Program{{"./tells"}, "TCP 127.0.0.1 127.0.0.1 no name\n" + text},
          Program{{"fixcrio", "cat"}, "one\r\ntwo\r\nthree\r\n"},
          Program{{"recordio", "cat"}, text},
          Program{{"recordio", "fixcrio", "./tells"},
                  "TCP 127.0.0.1 127.0.0.1 no name\r\none\r\ntwo\r\nthree\r\n"}}) {
        CAPTURE(program.words.front());
        CHECK(ask(serve_tcpserver(scenario, program.words).address, text) == program.answer);
        CHECK(ask(serve_ours(scenario, program.words).address, text) == program.answer);
    }
}

TEST_CASE("the transcript of recordio goes to our standard error") {
    Scenario scenario;
    auto service = serve_ours(scenario, {"recordio", "cat"});
    CHECK(ask(service.address, "hello\n") == "hello\n");
    CHECK(service.process.error_line().ends_with(" < hello "));
}

TEST_CASE("programs that were written for unixserver and s6-ipcserver work with our server") {
    Scenario scenario;
    scenario.write_file("unix", "#!/bin/sh\n"
                                "echo $PROTO $UNIXLOCALPATH $UNIXREMOTEEUID $UNIXREMOTEEGID\n"
                                "test $UNIXREMOTEPID -gt 0 && cat\n");
    scenario.write_file("ipc", "#!/bin/sh\n"
                               "echo $IPCREMOTEPATH:$IPCREMOTEEUID:$IPCREMOTEEGID; cat\n");
    for (const char* program : {"unix", "ipc"})
        REQUIRE(::chmod(program, 0755) == 0);
    const auto address = net::Address::unix_path(sock);
    const auto answer = [&](Process process) {
        // There is a socket file before anybody listens.
        CHECK(eventually([] {
            const Fd probe = Fd::adopt(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
            const auto server = net::Address::unix_path(sock);
            return ::connect(probe.get(), server.data(), server.size()) == 0;
        }));
        auto text = ask(address, "hello\n");
        process.kill(SIGTERM);
        (void)process.wait();
        ::unlink(sock);
        return text;
    };
    {
        auto theirs = scenario.start({"unixserver", "-q", sock, "./unix"});
        CHECK(eventually([&] { return scenario.exists("sock"); }));
        const auto expected = fmt::format("UNIX ./sock {} {}\nhello\n", ::geteuid(), ::getegid());
        CHECK(answer(std::move(theirs)) == expected);
        CHECK(answer(serve_ours_unix(scenario, {"./unix"})) == expected);
    }
    {
        auto theirs = scenario.start({"s6-ipcserver", "-1", sock, "./ipc"});
        CHECK(theirs.line().empty()); // an empty line: it is ready
        const auto expected = fmt::format(":{}:{}\nhello\n", ::geteuid(), ::getegid());
        CHECK(answer(std::move(theirs)) == expected);
        CHECK(answer(serve_ours_unix(scenario, {"./ipc"})) == expected);
    }
}

TEST_CASE("s6-ipcserver-access guards a program of our server") {
    Scenario scenario;
    const auto start = [&] {
        return serve_ours_unix(scenario,
                               {"s6-ipcserver-access", "-v0", "-i", "rules", "echo", "in"});
    };
    const auto address = net::Address::unix_path(sock);
    REQUIRE(scenario
                .shell("mkdir -p rules/uid/$1; touch rules/uid/$1/allow",
                       {fmt::format("{}", ::geteuid() + 1)})
                .status == 0);
    {
        const auto process = start();
        Client client{address};
        CHECK(is_turned_away(client));
        REQUIRE(scenario.shell("mv rules/uid/* rules/uid/$1", {fmt::format("{}", ::geteuid())})
                    .status == 0);
        CHECK(ask(address) == "in\n");
    }
}

TEST_CASE("a service manager opens the socket, and clients can come before we run") {
    Scenario scenario;
    // The first socket is 3 (sd_listen_fds(3)). $^F keeps Perl from closing it.
    scenario.write_file("activate", R"(
use IO::Socket::INET;
use POSIX ();
$^F = 100;
$| = 1;
my $socket = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1") or die;
print $socket->sockport, "\n";
<STDIN>;
POSIX::dup2(fileno $socket, 3) if fileno $socket != 3;
$ENV{LISTEN_FDS} = 1;
$ENV{LISTEN_PID} = $$;
exec @ARGV or die;
)");
    auto process = scenario.start({"perl", "activate", "forking-tcp-server", "-J", "9", "--", "sh",
                                   "-c", "echo ${LISTEN_FDS-clean}; test ! -S /proc/self/fd/3"});
    const auto port = net::HostPort::parse(process.line()).port;
    const auto address = net::Address::parse_ip("127.0.0.1", port).value();
    Client early{address};
    process.close_input();
    CHECK(early.line() == "clean");
    CHECK(early.rest().empty());
    CHECK(process.error_line() ==
          fmt::format("forking-tcp-server: listening on {}", address.text()));
    CHECK(ask(address) == "clean\n");
    for (int round = 0; round < 2; ++round)
        CHECK(process.line().ends_with(R"("exit":0,"signal":null})"));
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}
