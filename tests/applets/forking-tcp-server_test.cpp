#include "harness/client.h"
#include "harness/scenario.h"

#include "core/error.h"
#include "core/io.h"
#include "core/number.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

constexpr std::string_view anywhere = "127.0.0.1:0";

Words server(const Words& options, const Words& program = {}) {
    Words words{"forking-tcp-server"};
    words.insert(words.end(), options.begin(), options.end());
    words.emplace_back(anywhere);
    if (program.empty()) return words;
    words.emplace_back("--");
    words.insert(words.end(), program.begin(), program.end());
    return words;
}

Words shell_program(const std::string& script) {
    return {"sh", "-c", script};
}

// Whether cat serves the client. If not, there is no free place.
bool is_served(const net::Address& address) {
    try {
        return ask(address, "again\n") == "again\n";
    } catch (const SysError&) {
        return false;
    }
}

bool is_refused(const net::Address& address) {
    try {
        const Client client{address};
        return false;
    } catch (const SysError& error) {
        return error.error() == ECONNREFUSED;
    }
}

// What one side sent ('>' is the client), according to a transcript.
std::string said(std::string_view transcript, char side) {
    std::string all;
    transcript.remove_prefix(transcript.find('\n') + 1);
    while (!transcript.empty()) {
        const auto head = transcript.substr(0, transcript.find('\n'));
        const auto size = whole_number<std::size_t>(head.substr(head.rfind(' ') + 1)).value();
        transcript.remove_prefix(head.size() + 1);
        if (head.front() == side) all += transcript.substr(0, size);
        transcript.remove_prefix(size + 1);
    }
    return all;
}

} // namespace

TEST_CASE("a client is greeted by its address, and the log names it") {
    Scenario scenario;
    auto process = scenario.start(server({}));
    const auto address = ready_address(process);
    const auto started = process.error_line();
    CHECK(started.starts_with(fmt::format("forking-tcp-server {}: server started on port {} of "
                                          "127.0.0.1 at ",
                                          process.pid(), address.port())));
    Client client{address};
    CHECK(client.line().starts_with("Hello there, 127.0.0.1, it's now "));
    CHECK(process.error_line().starts_with(
        fmt::format("forking-tcp-server {}: connection from 127.0.0.1 [127.0.0.1] at port {} at ",
                    process.pid(), client.address().port())));
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}

TEST_CASE("a program has the connection as its standard input and output") {
    Scenario scenario;
    auto process = scenario.start(server({}, shell_program("read x; echo \"got $x\"; exit 3")));
    const auto address = ready_address(process);
    CHECK(ask(address, "this\n") == "got this\n");
    const auto begat = log_line(process, ": begat ");
    const auto pid = begat.substr(begat.rfind(' ') + 1);
    CHECK(log_line(process, ": reaped ").ends_with(": reaped " + pid + " with exit 3"));
}

TEST_CASE("an echo of more than a buffer arrives whole after the half-close") {
    Scenario scenario;
    auto process = scenario.start(server({"-q", "--notify-fd", "1"}, {"cat"}));
    const auto line = process.line();
    const auto place = net::HostPort::parse(line.substr(line.rfind(' ') + 1));
    std::string text(1'288'895, '\0');
    for (std::size_t at = 0; at < text.size(); ++at)
        text[at] = static_cast<char>(at * 7 % 251);
    Client client{net::Address::parse_ip(place.host, place.port).value()};
    std::string answer;
    {
        const std::jthread sender{[&] {
            client.send(text);
            client.end_input();
        }};
        answer = client.rest();
    }
    CHECK(answer == text);
}

TEST_CASE("the log tells the signal that killed a child") {
    Scenario scenario;
    auto process = scenario.start(server({"-v"}, shell_program("kill -USR1 $$")));
    CHECK(ask(ready_address(process)).empty());
    CHECK(log_line(process, ": reaped ").find(" killed by USR1 after ") != std::string::npos);
}

TEST_CASE("the environment is clean, except for the UCSPI variables of the connection") {
    Scenario scenario;
    auto process = scenario.start(server({}, {"env"}));
    const auto address = ready_address(process);
    Client client{address};
    client.end_input();
    CHECK(client.rest() == fmt::format("PATH=/usr/bin:/bin\nPROTO=TCP\nTCPLOCALIP=127.0.0.1\n"
                                       "TCPLOCALPORT={}\nTCPREMOTEIP=127.0.0.1\n"
                                       "TCPREMOTEPORT={}\nTCPCONNNUM=1\n",
                                       address.port(), client.address().port()));
    auto keeping = scenario.start_shell(
        "GREETING=hello exec forking-tcp-server --keep-env 127.0.0.1:0 -- sh -c 'echo $GREETING "
        "$TCPREMOTEIP'");
    CHECK(ask(ready_address(keeping)) == "hello 127.0.0.1\n");
}

TEST_CASE("a program that cannot be run is our error, before we listen") {
    Scenario scenario;
    CHECK(scenario.run(server({}, {"no-such-program"})).status == 127);
    scenario.write_file("data", "");
    const auto result = scenario.run(server({}, {"./data"}));
    CHECK(result.status == 126);
    CHECK(result.err == "forking-tcp-server: cannot execute ./data: Permission denied\n");
}

TEST_CASE("a program that is removed while we run costs its clients, not the service") {
    Scenario scenario;
    scenario.write_file("program", "#!/bin/sh\necho here\n");
    REQUIRE(::chmod("program", 0755) == 0);
    auto process = scenario.start(server({}, {"./program"}));
    const auto address = ready_address(process);
    CHECK(ask(address) == "here\n");
    REQUIRE(::unlink("program") == 0);
    CHECK(ask(address).empty());
    CHECK(log_line(process, "cannot execute").ends_with("No such file or directory"));
    scenario.write_file("program", "#!/bin/sh\necho back\n");
    REQUIRE(::chmod("program", 0755) == 0);
    CHECK(ask(address) == "back\n");
}

TEST_CASE("a client that comes when all places are taken waits for one") {
    Scenario scenario;
    auto process = scenario.start(server({"-c", "2"}, {"cat"}));
    const auto address = ready_address(process);
    Client first{address};
    Client second{address};
    for (const auto* client : {&first, &second})
        client->send("hello\n");
    CHECK(first.line() == "hello");
    CHECK(second.line() == "hello");
    Client third{address};
    third.send("and me\n");
    first.end_input();
    CHECK(first.rest().empty());
    CHECK(third.line() == "and me");
}

TEST_CASE("with --over a client that comes when all places are taken gets a line") {
    Scenario scenario;
    auto process = scenario.start(server({"-c", "1", "--over", "come back later"}, {"cat"}));
    const auto address = ready_address(process);
    Client first{address};
    first.send("hello\n");
    CHECK(first.line() == "hello");
    CHECK(Client{address}.rest() == "come back later\n");
    CHECK(log_line(process, ": refused ").ends_with(": no place is free"));
    first.end_input();
    CHECK(first.rest().empty());
    CHECK(eventually([&] { return is_served(address); }));
}

TEST_CASE("one address has no more connections than it may") {
    Scenario scenario;
    auto process = scenario.start(server({"-C", "1"}, {"cat"}));
    const auto address = ready_address(process);
    Client first{address};
    first.send("hello\n");
    CHECK(first.line() == "hello");
    Client second{address};
    CHECK(is_turned_away(second));
    CHECK(log_line(process, ": refused ").ends_with(": it has 1 connection already"));
    first.end_input();
    CHECK(first.rest().empty());
    CHECK(eventually([&] { return is_served(address); }));
}

TEST_CASE("the rate is kept, and a client that comes too early waits") {
    Scenario scenario;
    auto process = scenario.start(server({"--rate", "2/1d"}, {"echo", "served"}));
    const auto address = ready_address(process);
    CHECK(ask(address) == "served\n");
    CHECK(ask(address) == "served\n");
    Client third{address};
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
    CHECK(is_turned_away(third));
}

TEST_CASE("time limits end a connection, and the log says which") {
    Scenario scenario;
    struct Limit {
        const char* option;
        const char* why;
    };
    for (const auto& [option, why] :
         {Limit{"--max-time", "not done after 0.05 s"}, Limit{"--idle-timeout", "idle for 0.05 s"},
          Limit{"--handshake-timeout", "the client said nothing for 0.05 s"}}) {
        auto process = scenario.start(server({option, "0.05"}, {"cat"}));
        Client client{ready_address(process)};
        CHECK(client.rest().empty());
        CHECK(log_line(process, ": ending ").ends_with(why));
        CHECK(log_line(process, ": reaped ").ends_with(" killed by TERM"));
    }
}

TEST_CASE("a client that has sent a byte is not ended for saying nothing") {
    Scenario scenario;
    auto process = scenario.start(server({"--handshake-timeout", "1"}, {"cat"}));
    const auto address = ready_address(process);
    Client client{address};
    client.send("hello\n");
    CHECK(client.line() == "hello");
    // Another client reaches the time limit. By then, this one would have reached it too.
    (void)log_line(process, ": begat ");
    Client silent{address};
    CHECK(silent.rest().empty());
    client.send("still here\n");
    CHECK(client.line() == "still here");
}

TEST_CASE("TERM ends us immediately when nobody is connected") {
    Scenario scenario;
    for (const int signal : {SIGTERM, SIGINT}) {
        auto process = scenario.start(server({}, {"cat"}));
        (void)ready_address(process);
        process.kill(signal);
        CHECK(process.wait().status == 0);
    }
}

TEST_CASE("TERM lets connections come to their end, and takes no more of them") {
    Scenario scenario;
    auto process = scenario.start(server({}, {"cat"}));
    const auto address = ready_address(process);
    Client client{address};
    client.send("hello\n");
    CHECK(client.line() == "hello");
    process.kill(SIGTERM);
    CHECK(eventually([&] { return is_refused(address); }));
    client.send("still here\n");
    CHECK(client.line() == "still here");
    client.end_input();
    CHECK(client.rest().empty());
    CHECK(process.wait().status == 0);
}

TEST_CASE("when the grace is over they are ended, and the status says so") {
    Scenario scenario;
    auto process = scenario.start(server({"--grace", "0"}, {"cat"}));
    Client client{ready_address(process)};
    client.send("hello\n");
    CHECK(client.line() == "hello");
    process.kill(SIGTERM);
    CHECK(client.rest().empty());
    CHECK(log_line(process, ": reaped ").ends_with(" killed by TERM"));
    CHECK(process.wait().status == 1);
}

TEST_CASE("a second TERM ends even programs that ignore it, with all processes that they started") {
    Scenario scenario;
    auto process = scenario.start(
        server({}, shell_program("trap '' TERM; exec 3<&0; cat <&3 & echo ready; wait")));
    const auto address = ready_address(process);
    Client client{address};
    CHECK(client.line() == "ready");
    process.kill(SIGTERM);
    CHECK(eventually([&] { return is_refused(address); }));
    process.kill(SIGTERM);
    CHECK(client.rest().empty());
    CHECK(process.wait().status == 1);
}

TEST_CASE("HUP puts our program in our place, and no client notices") {
    Scenario scenario;
    auto process = scenario.start(server({}, {"cat"}));
    const auto address = ready_address(process);
    Client client{address};
    client.send("before\n");
    CHECK(client.line() == "before");
    for (int round = 0; round < 3; ++round) {
        process.kill(SIGHUP);
        CHECK(ask(address, "new\n") == "new\n"); // at worst, it waits in the backlog
        (void)log_line(process, ": restarting");
        (void)log_line(process, ": server started on port ");
    }
    client.send("after\n");
    CHECK(client.line() == "after");
    process.kill(SIGUSR1);
    CHECK(log_line(process, " serves the connection from ")
              .find(fmt::format("port {} ", client.address().port())) != std::string::npos);
    process.kill(SIGTERM);
    client.end_input();
    CHECK(client.rest().empty());
    CHECK(process.wait().status == 0);
}

TEST_CASE("HOST PORT, as tcpserver has it, is not taken for two ports") {
    Scenario scenario;
    auto result = scenario.run({"forking-tcp-server", "0", "7000", "--", "cat"});
    CHECK(result.status == 2);
    CHECK(result.err == "forking-tcp-server: 0 7000 is a free port and port 7000: for all "
                        "interfaces, write 0:7000 (see forking-tcp-server --help)\n");
    result = scenario.run({"forking-tcp-server", "localhost", "7000", "--", "cat"});
    CHECK(result.status == 2);
    CHECK(contains(result.err, "'localhost': expected [HOST:]PORT, where PORT is a number"));
}

TEST_CASE("a server that nohup has started ignores HUP") {
    Scenario scenario;
    auto process = scenario.start_shell("trap '' HUP; exec forking-tcp-server 127.0.0.1:0 -- cat");
    const auto address = ready_address(process);
    process.kill(SIGHUP);
    CHECK(ask(address, "text\n") == "text\n");
    process.kill(SIGTERM);
    const auto result = process.wait();
    CHECK(result.status == 0);
    CHECK_FALSE(contains(result.err, "restarting"));
}

TEST_CASE("a restart that fails changes nothing") {
    Scenario scenario;
    std::filesystem::copy_file(binary(), "ipcbox");
    auto process = scenario.start({"./ipcbox", "forking-tcp-server", "127.0.0.1:0", "--", "cat"});
    const auto address = ready_address(process);
    Client client{address};
    client.send("before\n");
    CHECK(client.line() == "before");
    std::filesystem::remove("ipcbox");
    process.kill(SIGHUP);
    CHECK(log_line(process, "cannot execute").ends_with("; going on as before"));
    CHECK(ask(address, "new\n") == "new\n");
    client.send("after\n");
    CHECK(client.line() == "after");
    process.kill(SIGTERM);
    client.end_input();
    CHECK(client.rest().empty());
    CHECK(process.wait().status == 0);
}

TEST_CASE("--json reports each connection in a line") {
    Scenario scenario;
    auto process = scenario.start(server({"-J"}, shell_program("cat; exit 4")));
    const auto address = ready_address(process);
    CHECK(ask(address, "four\n") == "four\n");
    const auto line = process.line();
    CHECK(line.starts_with(R"({"v":1,"peer":"127.0.0.1:)"));
    CHECK(line.find(R"("bytes_in":5,"bytes_out":5,)") != std::string::npos);
    CHECK(line.ends_with(R"("exit":4,"signal":null})"));
}

TEST_CASE("USR1 prints the live table, also when we are quiet otherwise") {
    Scenario scenario;
    auto process = scenario.start(server({"-q", "--notify-fd", "1"}, {"cat"}));
    CHECK(process.line().starts_with("listening on "));
    process.kill(SIGUSR1);
    CHECK(process.error_line().ends_with(": 0 connections"));
}

TEST_CASE("rules decide who may connect, and are read anew when they change") {
    Scenario scenario;
    scenario.write_file("rules", "allow 127.0.0.0/8 set ROLE=local\n");
    auto process = scenario.start(server({"-x", "rules"}, shell_program("echo $ROLE")));
    const auto address = ready_address(process);
    CHECK(ask(address) == "local\n");

    scenario.write_file("new", "allow 10.0.0.0/8\ndeny 127.0.0.1\n");
    REQUIRE(::rename("new", "rules") == 0);
    Client denied{address};
    CHECK(is_turned_away(denied));
    CHECK(log_line(process, ": refused ").ends_with(": line 2 of the rules denies it"));

    scenario.write_file("new", "allow all set ROLE=new\nallow everybody\n");
    REQUIRE(::rename("new", "rules") == 0);
    Client still_denied{address};
    CHECK(is_turned_away(still_denied));
    CHECK(log_line(process, "rules:2:7: ").ends_with("; the old rules stay in force"));

    scenario.write_file("new", "allow all set ROLE=new\n");
    REQUIRE(::rename("new", "rules") == 0);
    CHECK(ask(address) == "new\n");
}

TEST_CASE("a rule limits the connections of one address") {
    Scenario scenario;
    scenario.write_file("rules", "allow all limit 1\n");
    auto process = scenario.start(server({"-x", "rules"}, {"cat"}));
    const auto address = ready_address(process);
    Client first{address};
    first.send("hello\n");
    CHECK(first.line() == "hello");
    Client second{address};
    CHECK(is_turned_away(second));
}

TEST_CASE("--check-rules says which line decides") {
    Scenario scenario;
    scenario.write_file("rules", "deny 10.0.0.0/8\nallow 192.0.2.1\n");
    const auto check = [&](const std::string& ip) {
        return scenario.run({"forking-tcp-server", "-x", "rules", "--check-rules", ip});
    };
    CHECK(check("10.1.2.3").status == 1);
    CHECK(check("10.1.2.3").out == "rules:1: 10.1.2.3 is denied\n");
    CHECK(check("192.0.2.1").status == 0);
    CHECK(check("192.0.2.1").out == "rules:2: 192.0.2.1 is allowed\n");
    CHECK(check("::1").out == "rules: no line is for ::1: denied\n");
    scenario.write_file("rules", "allow all\ndeny 10.0.0.1/8\n");
    const auto wrong = check("::1");
    CHECK(wrong.status == 1);
    CHECK(wrong.err.starts_with("forking-tcp-server: rules:2:6: "));
}

TEST_CASE("a shortage that passes costs no connection") {
    Scenario scenario;
    // With -J, the server keeps a descriptor for each connection, so it soon has too few.
    auto process =
        scenario.start_shell("ulimit -n 24; exec forking-tcp-server -J 127.0.0.1:0 -- cat");
    const auto address = ready_address(process);
    std::vector<Client> clients;
    constexpr int count = 40;
    for (int each = 0; each < count; ++each) {
        clients.emplace_back(address);
        clients.back().send(fmt::format("client {}\n", each));
    }
    (void)log_line(process, "Too many open files; trying again");
    for (int each = 0; each < count; ++each) {
        auto& client = clients[static_cast<std::size_t>(each)];
        client.end_input();
        CHECK(client.rest() == fmt::format("client {}\n", each));
    }
}

TEST_CASE("a burst leaves no zombie and no descriptor behind") {
    Scenario scenario;
    auto process = scenario.start(server({"-c", "16"}, shell_program("exit 0")));
    const auto address = ready_address(process);
    (void)ask(address);
    (void)log_line(process, ": reaped ");
    const auto before = count_descriptors(process.pid());
    for (int round = 0; round < 5; ++round) {
        std::vector<Client> clients;
        for (int each = 0; each < 50; ++each)
            clients.emplace_back(address);
        // Some clients go away before they are served.
        for (std::size_t each = 0; each < clients.size(); each += 3)
            clients[each].reset();
        for (auto& client : clients)
            if (client.fd() >= 0) CHECK(client.rest().empty());
    }
    CHECK(eventually([&] { return children_of(process.pid()).empty(); }));
    CHECK(eventually([&] { return count_descriptors(process.pid()) <= before; }));
}

TEST_CASE("a log that may not grow any more ends nobody") {
    Scenario scenario;
    auto process = scenario.start_shell(
        "exec 2>log; ulimit -f 1; exec forking-tcp-server --notify-fd 1 127.0.0.1:0 -- "
        "sh -c 'exec 2>/dev/null; head -c 2000 /dev/zero >file; echo $?'");
    const auto address = announced_address(process.line());
    for (int round = 0; round < 20; ++round)
        CHECK(ask(address) == "153\n"); // the signal kills the program, as it does without a server
    process.kill(SIGHUP);
    for (int round = 0; round < 20; ++round)
        CHECK(ask(address) == "153\n");
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}

TEST_CASE("a log that nobody reads delays nobody") {
    Scenario scenario;
    auto process = scenario.start(server({}));
    const auto address = ready_address(process);
    // This is more than a pipe holds.
    for (int round = 0; round < 1000; ++round) {
        Client client{address};
        CHECK(client.line().starts_with("Hello there"));
    }
    process.kill(SIGTERM);
    const auto result = process.wait();
    CHECK(result.status == 0);
    CHECK(result.err.find("connection from") != std::string::npos);
}

TEST_CASE("a client that never reads delays nobody") {
    Scenario scenario;
    auto process = scenario.start(server({"-c", "2"}, shell_program("cat; echo end")));
    const auto address = ready_address(process);
    Client stalled{address};
    stalled.send(std::string(64UL * 1024, 'x'));
    CHECK(ask(address, "hello\n") == "hello\nend\n");
}

TEST_CASE("the server listens at several addresses, and names the process that has the port") {
    Scenario scenario;
    auto process = scenario.start({"forking-tcp-server", "127.0.0.1:0", "0", "--", "echo", "both"});
    const auto first = ready_address(process);
    const auto second = ready_address(process);
    CHECK(first.port() != second.port());
    for (const char* ip : {"127.0.0.1", "::1"})
        CHECK(ask(net::Address::parse_ip(ip, second.port()).value()) == "both\n");
    CHECK(ask(first) == "both\n");
    const auto result = scenario.run({"forking-tcp-server", first.text()});
    CHECK(result.status == 1);
    CHECK(result.err.starts_with(
        fmt::format("forking-tcp-server: cannot listen on {}: Address already in use (by {} (",
                    first.text(), process.pid())));
}

TEST_CASE("--once and --count end us when that number was served") {
    Scenario scenario;
    auto once = scenario.start(server({"--once"}, {"echo", "you"}));
    CHECK(ask(ready_address(once)) == "you\n");
    CHECK(once.wait().status == 0);
    auto three = scenario.start(server({"--count", "3"}, {"echo", "you"}));
    const auto address = ready_address(three);
    for (int round = 0; round < 3; ++round)
        CHECK(ask(address) == "you\n");
    CHECK(three.wait().status == 0);
}

TEST_CASE("the program's limits are its own") {
    Scenario scenario;
    auto process = scenario.start(server({"--rlimit", "nofile=20", "--nice", "3", "--no-new-privs"},
                                         shell_program("ulimit -n; nice; "
                                                       "grep NoNewPrivs /proc/self/status")));
    CHECK(ask(ready_address(process)) == "20\n3\nNoNewPrivs:\t1\n");
}

TEST_CASE("the server reports that it is ready to a descriptor and to the service manager") {
    Scenario scenario;
    const auto path = scenario.path("notify");
    const Fd socket = Fd::adopt(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto name = net::Address::unix_path(path);
    REQUIRE(::bind(socket.get(), name.data(), name.size()) == 0);
    auto process = scenario.start_shell("NOTIFY_SOCKET=" + path +
                                        " exec forking-tcp-server --notify-fd 1 127.0.0.1:0");
    CHECK(process.line().starts_with("listening on 127.0.0.1:"));
    std::array<std::byte, 256> message{};
    const auto size = read_some(socket.get(), message, "a notification");
    CHECK(std::string{reinterpret_cast<const char*>(message.data()), size} ==
          fmt::format("READY=1\nMAINPID={}\n", process.pid()));
}

TEST_CASE("a reader of only the first ready line does no harm") {
    Scenario scenario;
    const auto result = scenario.shell("mkfifo ready\n"
                                       "forking-tcp-server -q -1 --notify-fd 3 127.0.0.1:0 "
                                       "127.0.0.1:0 -- cat 3>ready &\n"
                                       "read -r line <ready\n"
                                       "echo hello | tcp-client \"${line##* }\" && wait $!");
    CHECK(result.status == 0);
    CHECK(result.out == "hello\n");
    CHECK(result.err.empty());
}

TEST_CASE("the server and its programs run as another user") {
    Scenario scenario;
    if (::geteuid() != 0) {
        const auto result = scenario.run(server({"-u", "nobody"}, {"id", "-un"}));
        CHECK(result.status == 1);
        return;
    }
    auto process = scenario.start(server({"-u", "nobody"}, shell_program("id -un; id -Gn")));
    CHECK(ask(ready_address(process)) == "nobody\nnogroup\n");
    // The server can restart as that user, although it can never be root again.
    process.kill(SIGHUP);
    (void)log_line(process, ": restarting");
    (void)log_line(process, ": server started ");
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}

TEST_CASE("bad options are usage errors") {
    Scenario scenario;
    for (const Words& options :
         {Words{"-c", "0"}, Words{"--rate", "5"}, Words{"-C", "1/33"}, Words{"--rlimit", "x=1"},
          Words{"--check-rules", "::1"}, Words{"localhost:http:80"}, Words{"-u", "no-such-user"}}) {
        const auto result = scenario.run(server(options));
        CAPTURE(options.front());
        CHECK(result.status == 2);
        CHECK(result.err.find("(see forking-tcp-server --help)") != std::string::npos);
    }
}

TEST_CASE("behind a proxy, the client is who the proxy says") {
    Scenario scenario;
    auto process = scenario.start(server({"--proxy-protocol"}, shell_program("read x; "
                                                                             "echo $TCPREMOTEIP "
                                                                             "$TCPLOCALPORT $x")));
    const auto address = ready_address(process);
    CHECK(ask(address, "PROXY TCP4 192.0.2.7 198.51.100.1 4242 443\r\nhello\n") ==
          "192.0.2.7 443 hello\n");
    // The header of this client comes in pieces, and other clients come in between.
    Client slow{address};
    slow.send("PROXY TCP6 2001:db8::7 ");
    CHECK(ask(address, "PROXY UNKNOWN\r\nhello\n") ==
          fmt::format("127.0.0.1 {} hello\n", address.port()));
    slow.send("2001:db8::1 4242 443\r");
    slow.send("\nhello\n");
    CHECK(slow.rest() == "2001:db8::7 443 hello\n");
    Client direct{address};
    direct.send("GET / HTTP/1.0\r\n\r\n");
    CHECK(is_turned_away(direct));
    CHECK(log_line(process, ": refused ").find("its PROXY header is invalid: ") !=
          std::string::npos);
    Client half{address};
    half.send("PROXY TCP4");
    half.end_input();
    CHECK(is_turned_away(half));
    CHECK(log_line(process, ": refused ").ends_with("it ended without a PROXY header"));
}

TEST_CASE("a PROXY header that tells no client is let in by a rule for all and by no other") {
    Scenario scenario;
    struct Header {
        const char* name;
        std::string bytes;
        bool is_the_proxy_itself;
    };
    const auto binary = [](char command, char family, std::size_t size) {
        std::string header = "\r\n\r\n";
        header += std::string(1, '\0') + "\r\nQUIT\n" + command + family;
        header += static_cast<char>(size >> 8U);
        header += static_cast<char>(size & 0xffU);
        return header + std::string(size, '\0');
    };
    const std::vector<Header> headers{{"unix", binary(0x21, 0x31, 216), false},
                                      {"unspec", binary(0x21, 0, 0), false},
                                      {"unknown", "PROXY UNKNOWN\r\n", false},
                                      {"local", binary(0x20, 0, 0), true}};
    scenario.write_file("nobody", "deny all\n");
    scenario.write_file("proxy", "allow 127.0.0.0/8\ndeny all\n");
    scenario.write_file("everybody", "allow all limit 1\n");
    for (const char* rules : {"nobody", "proxy", "everybody"}) {
        auto process = scenario.start(server({"--proxy-protocol", "-x", rules},
                                             shell_program("echo $PROTO $TCPREMOTEIP; cat")));
        const auto address = ready_address(process);
        for (const auto& header : headers) {
            CAPTURE(rules);
            CAPTURE(header.name);
            const bool may_enter =
                rules == std::string_view{"everybody"} ||
                (rules == std::string_view{"proxy"} && header.is_the_proxy_itself);
            Client client{address};
            client.send(header.bytes);
            if (!may_enter) {
                CHECK(is_turned_away(client));
                continue;
            }
            CHECK(client.line() == "TCP 127.0.0.1");
            // Here the client counts for the address of the proxy.
            if (rules != std::string_view{"everybody"}) continue;
            Client second{address};
            second.send(header.bytes);
            CHECK(is_turned_away(second));
            client.end_input();
            CHECK(client.rest().empty());
            (void)log_line(process, ": reaped ");
        }
    }
}

TEST_CASE("a variable stands once in the environment: a rule's over ours over a kept one") {
    Scenario scenario;
    scenario.write_file("rules", "allow all set TCPREMOTEIP=192.0.2.9 set PATH=/usr/bin:/bin:/x\n");
    auto process = scenario.start_shell(
        "export TCPREMOTEIP=203.0.113.1 TCPREMOTEHOST=stale TCPREMOTEINFO=stale UNIXREMOTEPID=1 "
        "IPCREMOTEEUID=0 PROTO=UNIX KEPT=yes\n"
        "exec forking-tcp-server -x rules --keep-env 127.0.0.1:0 -- env");
    const auto text = ask(ready_address(process));
    const auto count = [&text](const std::string& part) {
        int found = 0;
        for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
            ++found;
        return found;
    };
    CHECK(count("TCPREMOTEIP=") == 1);
    CHECK(count("TCPREMOTEIP=192.0.2.9\n") == 1);
    CHECK(count("PATH=/usr/bin:/bin:/x\n") == 1);
    CHECK(count("\nPATH=") + (text.starts_with("PATH=") ? 1 : 0) == 1);
    CHECK(count("PROTO=TCP\n") == 1);
    CHECK(count("KEPT=yes\n") == 1);
    for (const char* stale : {"TCPREMOTEHOST", "TCPREMOTEINFO", "UNIXREMOTEPID", "IPCREMOTEEUID"})
        CHECK(count(stale) == 0);
}

TEST_CASE("an IPv4-mapped address is its IPv4 address to a listener and to --check-rules") {
    Scenario scenario;
    scenario.write_file("rules", "allow 192.0.2.0/24\n");
    const auto result =
        scenario.run({"forking-tcp-server", "-x", "rules", "--check-rules", "::ffff:192.0.2.7"});
    CHECK(result.status == 0);
    CHECK(result.out == "rules:1: 192.0.2.7 is allowed\n");
    auto process =
        scenario.start({"forking-tcp-server", "[::ffff:127.0.0.1]:0", "--", "echo", "hello"});
    CHECK(ask(ready_address(process)) == "hello\n");
}

TEST_CASE("the server does not wait for a proxy that says nothing") {
    Scenario scenario;
    auto process =
        scenario.start(server({"--proxy-protocol", "--handshake-timeout", "0.05"}, {"cat"}));
    CHECK(Client{ready_address(process)}.rest().empty());
    CHECK(log_line(process, ": refused ").ends_with("no PROXY header came in time"));
}

TEST_CASE("a client has a name once it is known, and does not wait for it") {
    Scenario scenario;
    auto process = scenario.start(server({"-H"}, shell_program("echo $TCPREMOTEHOST")));
    const auto address = ready_address(process);
    CHECK(ask(address) == "\n");
    // The name is that in /etc/hosts, which every machine has for this address.
    const auto line = log_line(process, ": 127.0.0.1 is ");
    const auto name = line.substr(line.rfind(' ') + 1);
    CHECK(ask(address) == name + "\n");
    CHECK(log_line(process, "connection from " + name).find(" [127.0.0.1] at port ") !=
          std::string::npos);
}

TEST_CASE("--record keeps the bytes of both sides") {
    Scenario scenario;
    std::filesystem::create_directory("transcripts");
    auto process = scenario.start(
        server({"--record", "transcripts"}, shell_program("read x; echo \"got $x\"; exit 3")));
    const auto address = ready_address(process);
    CHECK(ask(address, "this\n") == "got this\n");
    CHECK(log_line(process, ": reaped ").ends_with(" with exit 3"));
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator{"transcripts"})
        files.push_back(entry.path().string());
    REQUIRE(files.size() == 1);
    const auto text = scenario.read_file(files.front());
    CHECK(text.starts_with("127.0.0.1 to " + address.text() + " at "));
    CHECK(said(text, '>') == "this\n");
    CHECK(said(text, '<') == "got this\n");
}

TEST_CASE("a directory in which no transcript can be written is our error, before we listen") {
    Scenario scenario;
    const auto missing = scenario.run(server({"--record", "missing"}, {"echo", "hello"}));
    CHECK(missing.status == 1);
    CHECK(missing.err == "forking-tcp-server: cannot write transcripts in missing: "
                         "No such file or directory\n");
    const auto file = scenario.run(server({"--record", "/dev/null"}, {"echo", "hello"}));
    CHECK(file.status == 1);
    CHECK(file.err.find("cannot write transcripts in /dev/null: ") != std::string::npos);
    CHECK(scenario.run(server({"--record", "missing"})).status == 2);
}

TEST_CASE("a connection that must be recorded never goes on unrecorded") {
    Scenario scenario;
    std::filesystem::create_directory("transcripts");
    auto process = scenario.start(
        server({"--record", "transcripts"}, shell_program("echo ran >>../ran; echo hello")));
    const auto address = ready_address(process);
    std::filesystem::remove("transcripts");
    Client client{address};
    CHECK(is_turned_away(client));
    CHECK(log_line(process, "transcripts/").ends_with(": No such file or directory"));
    CHECK(log_line(process, ": reaped ").ends_with(" with exit 1"));
    CHECK_FALSE(scenario.exists("ran"));
}

TEST_CASE("a recorded connection comes through a restart, and both ends of it can go first") {
    Scenario scenario;
    std::filesystem::create_directory("transcripts");
    auto process = scenario.start(server({"--record", "transcripts"}, {"cat"}));
    const auto address = ready_address(process);
    Client client{address};
    client.send("before\n");
    CHECK(client.line() == "before");
    process.kill(SIGHUP);
    (void)log_line(process, ": server started ");
    (void)log_line(process, ": server started ");
    client.send("after\n");
    CHECK(client.line() == "after");
    client.reset();
    CHECK(log_line(process, ": reaped ").find(": reaped ") != std::string::npos);
    const std::string text(1'288'895, 'x');
    Client large{address};
    std::string answer;
    {
        const std::jthread sender{[&] {
            large.send(text);
            large.end_input();
        }};
        answer = large.rest();
    }
    CHECK(answer == text);
}
