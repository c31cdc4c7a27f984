// The stages of a connection. In each of them something goes wrong: a shortage, an end, a restart
// or a limit.
#include "harness/client.h"
#include "harness/scenario.h"
#include "harness/time_limit.h"

#include "core/error.h"
#include "core/io.h"
#include "core/poll.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

Words server(const Words& options, const Words& program = {}) {
    Words words{"forking-tcp-server"};
    words.insert(words.end(), options.begin(), options.end());
    words.emplace_back("127.0.0.1:0");
    if (program.empty()) return words;
    words.emplace_back("--");
    words.insert(words.end(), program.begin(), program.end());
    return words;
}

Words shell_program(const std::string& script) {
    return {"sh", "-c", script};
}

constexpr auto header = "PROXY TCP4 192.0.2.7 198.51.100.1 4242 443\r\n";

// The socket on which a service manager gets notifications.
Fd notify_socket(const std::string& path) {
    Fd socket = Fd::adopt(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    const auto name = net::Address::unix_path(path);
    REQUIRE(::bind(socket.get(), name.data(), name.size()) == 0);
    return socket;
}

std::string notification(const Fd& socket) {
    std::array<std::byte, 256> message{};
    const auto size = read_some(socket.get(), message, "a notification",
                                Deadline::after(std::chrono::seconds{30}));
    return {reinterpret_cast<const char*>(message.data()), size};
}

void restart(Process& process) {
    process.kill(SIGHUP);
    (void)log_line(process, ": restarting");
    (void)log_line(process, ": server started ");
}

} // namespace

// --- A thread that waits for what only it could end

TEST_CASE("a shortage of processes is waited out, while signals and clients are heeded") {
    if (::geteuid() != 0) return; // the limit needs another user
    Scenario scenario;
    const auto user = fmt::format("{0}:{0}", 1'000'000 + ::getpid());
    // The limit counts the threads of all processes of the user: this one has five, ...
    auto ballast = scenario.start_shell(
        fmt::format("exec forking-tcp-server -u {} --prefork 3 127.0.0.1:0 -- cat", user));
    (void)ready_address(ballast);
    // ... and the server has three, so there is no room for a program.
    auto process =
        scenario.start_shell(fmt::format("{{ ulimit -p 8 2>/dev/null || ulimit -u 8; }}; exec "
                                         "forking-tcp-server --proxy-protocol -u {} --prefork 1 "
                                         "127.0.0.1:0 -- cat",
                                         user));
    const auto address = ready_address(process);
    Client client{address};
    client.send(header);
    client.send("hello\n");
    (void)log_line(process, "Resource temporarily unavailable; trying again");
    process.kill(SIGUSR1);
    (void)log_line(process, ": 0 connections");
    SUBCASE("the client is served when the shortage is over") {
        ballast.kill(SIGTERM);
        CHECK(client.line() == "hello");
    }
    SUBCASE("TERM ends the accepting thread, which makes room for the client") {
        process.kill(SIGTERM);
        client.end_input();
        CHECK(client.rest() == "hello\n");
        CHECK(process.wait().status == 0);
    }
    SUBCASE("HUP hands the client over to the next image") {
        process.kill(SIGHUP);
        (void)log_line(process, ": restarting");
        ballast.kill(SIGTERM);
        CHECK(client.line() == "hello");
    }
}

TEST_CASE("a client that sends no PROXY header is dropped at TERM") {
    Scenario scenario;
    auto process = scenario.start(server({"--proxy-protocol"}, {"cat"}));
    Client silent{ready_address(process)};
    silent.send("PROXY");
    // The server accepted this connection before another one, which it serves.
    CHECK(eventually([&] { return count_descriptors(process.pid()) > 0; }));
    process.kill(SIGTERM);
    CHECK(is_turned_away(silent));
    CHECK(process.wait().status == 0);
}

TEST_CASE("a client that has not sent its whole PROXY header yet is served after HUP") {
    Scenario scenario;
    auto process =
        scenario.start(server({"--proxy-protocol"}, shell_program("read x; echo $TCPREMOTEIP $x")));
    const auto address = ready_address(process);
    Client slow{address};
    slow.send("PROXY TCP4 192.0.2.7 198.");
    CHECK(ask(address, std::string{header} + "first\n") == "192.0.2.7 first\n");
    restart(process);
    CHECK(ask(address, std::string{header} + "next\n") == "192.0.2.7 next\n");
    slow.send("51.100.1 4242 443\r\nlate\n");
    CHECK(slow.rest() == "192.0.2.7 late\n");
}

// --- A loop that failed looks like one that has finished

TEST_CASE("a server that has too few descriptors to accept says so before it is ready") {
    Scenario scenario;
    const auto result =
        scenario.shell("ulimit -n 8; exec forking-tcp-server 127.0.0.1:0 -- echo hello");
    CHECK(result.status == 1);
    CHECK(result.err.find("listening on") == std::string::npos);
    CHECK(result.err.find("Too many open files") != std::string::npos);
}

TEST_CASE("with few descriptors every client is served, and accept is not called in vain") {
    Scenario scenario;
    auto process = scenario.start_shell("ulimit -n 16; IPCBOX_TRACE=1 exec forking-tcp-server -J "
                                        "127.0.0.1:0 -- cat 2>trace");
    CHECK(eventually([&] {
        return scenario.exists("trace") &&
               scenario.read_file("trace").find("listening on") != std::string::npos;
    }));
    auto text = scenario.read_file("trace");
    text.erase(0, text.find("listening on"));
    const auto address = announced_address(text.substr(0, text.find('\n')));
    std::vector<Client> clients;
    for (int each = 0; each < 20; ++each)
        clients.emplace_back(address);
    // The trace has a line for each accept4 that failed.
    const auto failures = [&] {
        const auto trace = scenario.read_file("trace");
        int count = 0;
        for (auto at = trace.find("EMFILE"); at != std::string::npos;
             at = trace.find("EMFILE", at + 1))
            ++count;
        return count;
    };
    CHECK(eventually([&] { return failures() > 0; }));
    const auto start = Deadline::Clock::now();
    const int before = failures();
    CHECK(eventually(
        [&] { return Deadline::Clock::now() - start > std::chrono::milliseconds{500}; }));
    CHECK(failures() - before < 100);
    for (auto& client : clients) {
        client.send("hello\n");
        client.end_input();
        CHECK(client.rest() == "hello\n");
    }
}

TEST_CASE("a recorded client's program starts once, also with few descriptors") {
    Scenario scenario;
    std::filesystem::create_directory("transcripts");
    auto process = scenario.start_shell(
        "ulimit -n 20; exec forking-tcp-server -J --record transcripts 127.0.0.1:0 -- "
        "sh -c 'echo run >>runs; cat'");
    const auto address = ready_address(process);
    constexpr int count = 30;
    std::vector<Client> clients;
    for (int each = 0; each < count; ++each) {
        clients.emplace_back(address);
        clients.back().send("hello\n");
    }
    for (auto& client : clients) {
        client.end_input();
        CHECK(client.rest() == "hello\n");
    }
    CHECK(scenario.read_file("runs").size() == count * std::string_view{"run\n"}.size());
}

TEST_CASE("--once ends also when HUP comes while its connection runs") {
    Scenario scenario;
    auto process = scenario.start(server({"--once"}, {"cat"}));
    Client client{ready_address(process)};
    client.send("before\n");
    CHECK(client.line() == "before");
    process.kill(SIGHUP);
    (void)log_line(process, ": restarting");
    client.send("after\n");
    client.end_input();
    CHECK(client.rest() == "after\n");
    CHECK(process.wait().status == 0);
}

TEST_CASE("--once does not count a client that was refused") {
    Scenario scenario;
    auto process = scenario.start(server({"--once", "--proxy-protocol"}, {"echo", "served"}));
    const auto address = ready_address(process);
    Client wrong{address};
    wrong.send("GET / HTTP/1.0\r\n\r\n");
    CHECK(is_turned_away(wrong));
    CHECK(ask(address, header) == "served\n");
    CHECK(process.wait().status == 0);
}

TEST_CASE("HUP loses no JSON that a slow reader has not taken yet") {
    Scenario scenario;
    auto process = scenario.start(server({"-q", "-J", "--notify-fd", "2"}, {"true"}));
    const auto address = announced_address(process.error_line());
    constexpr int count = 900; // more than a pipe holds
    for (int each = 0; each < count; ++each)
        (void)ask(address);
    process.kill(SIGHUP);
    CHECK(ask(address).empty());
    for (int each = 0; each < count + 1; ++each)
        CHECK(process.line().starts_with(R"({"v":1,"peer":"127.0.0.1:)"));
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}

TEST_CASE("--json and the ready lines cannot share standard output") {
    Scenario scenario;
    const auto result = scenario.run(server({"-J", "--notify-fd", "1"}));
    CHECK(result.status == 2);
    CHECK(result.err.find("--notify-fd 1 would close standard output") != std::string::npos);
}

// --- Limits

TEST_CASE("a rate allows no more after a long silence than at any other time") {
    Scenario scenario;
    auto process = scenario.start(server({"--rate", "1/1h", "--prefork", "4"}, {"echo", "served"}));
    const auto address = ready_address(process);
    CHECK(ask(address) == "served\n");
    std::vector<Client> clients;
    for (int each = 0; each < 4; ++each)
        clients.emplace_back(address);
    process.kill(SIGTERM);
    for (auto& client : clients)
        CHECK(is_turned_away(client));
    CHECK(process.wait().status == 0);
}

TEST_CASE("a client that was already talking gets the line of --over, and no reset") {
    Scenario scenario;
    auto process = scenario.start(server({"-c", "1", "--over", "busy"}, {"cat"}));
    const auto address = ready_address(process);
    Client first{address};
    first.send("hello\n");
    CHECK(first.line() == "hello");
    for (int round = 0; round < 20; ++round) {
        Client second{address};
        second.send(std::string(100'000, 'x'));
        CHECK(second.line() == "busy");
        second.send("more\n");
        CHECK(second.rest().empty());
    }
}

TEST_CASE("a connection that the program's child keeps has its place and its time limits") {
    Scenario scenario;
    // What a second client gets while the first one has the place.
    const auto second_answer = [&](const std::string& limit) {
        auto process = scenario.start(server({"-c", "1", "--over", "busy", "--max-time", limit},
                                             shell_program("exec 3<&0; cat <&3 & echo started")));
        const auto address = ready_address(process);
        Client client{address};
        const bool has_started = client.line() == "started";
        auto answer = has_started ? Client{address}.rest() : std::string{};
        CHECK(client.rest().empty());
        CHECK(contains(log_line(process, ": ending "), ": not done after "));
        (void)log_line(process, ": reaped ");
        if (answer == "busy\n")
            CHECK(eventually([&] { return Client{address}.line() == "started"; }));
        return answer;
    };
    const std::string busy = "busy\n";
    CHECK(with_time_limit(second_answer, [&](const auto& got) { return got == busy; }) == busy);
}

TEST_CASE("a child that has let go of the connection does not keep its place") {
    Scenario scenario;
    auto process = scenario.start(server(
        {"--once"}, shell_program("tail -f /dev/null >/dev/null 2>&1 </dev/null & echo done")));
    CHECK(Client{ready_address(process)}.rest() == "done\n");
    CHECK(process.wait().status == 0);
}

TEST_CASE("a process that /proc hides keeps the place of its connection") {
    if (::geteuid() != 0) return; // only root can mount, and start a program of another user
    Scenario scenario;
    // The program's child belongs to root, and the server does not. So the server does not see the
    // child, and may not signal it. The child ends when its input ends.
    auto process = scenario.start(
        {"unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "sh", "-c",
         "chmod 755 . ..; cp \"$(command -v forking-tcp-server)\" ipcbox; "
         "cp \"$(command -v setpriv)\" raise; chmod 4755 raise; chmod 755 ipcbox; "
         "mount -o remount,hidepid=2 /proc; exec setpriv --reuid=65534 --regid=65534 "
         "--clear-groups ./ipcbox forking-tcp-server -c 1 --over busy 127.0.0.1:0 -- sh -c "
         "'exec 3<&0; ./raise --reuid=0 cat <&3 & echo started'"});
    const auto address = ready_address(process);
    Client client{address};
    CHECK(client.line() == "started");
    (void)log_line(process, ": begat ");
    // When its child answers, the program itself has ended.
    client.send("hello\n");
    CHECK(client.line() == "hello");
    for (int each = 0; each < 20; ++each)
        CHECK(Client{address}.rest() == "busy\n");
    client.end_input();
    CHECK(client.rest().empty());
    CHECK(eventually([&] { return Client{address}.line() == "started"; }));
}

TEST_CASE("a full directory of transcripts ends the connection, and the log says why") {
    if (::geteuid() != 0) return; // only root can mount a small filesystem
    Scenario scenario;
    auto process = scenario.start({"unshare", "--mount", "sh", "-c",
                                   "mkdir full; mount -t tmpfs -o size=64k none full; "
                                   "exec forking-tcp-server --record full 127.0.0.1:0 -- cat"});
    const auto address = ready_address(process);
    Client client{address};
    const std::string text(200'000, 'x');
    std::string answer;
    {
        const std::jthread sender{[&] {
            try {
                client.send(text);
                client.end_input();
            } catch (const SysError&) { // NOLINT(bugprone-empty-catch): it has ended
            }
        }};
        try {
            answer = client.rest();
        } catch (const SysError& error) {
            CHECK(error.error() == ECONNRESET);
        }
    }
    CHECK(answer.size() < text.size());
    CHECK(log_line(process, "full/").ends_with(": No space left on device"));
    CHECK(log_line(process, ": reaped ").ends_with(" with exit 1"));
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}

TEST_CASE("the PROXY header is not among the client's bytes") {
    Scenario scenario;
    auto process = scenario.start(server({"--proxy-protocol", "-J"}, {"cat"}));
    CHECK(ask(ready_address(process), std::string{header} + "four\n") == "four\n");
    CHECK(process.line().find(R"("bytes_in":5,"bytes_out":5,)") != std::string::npos);
    auto waiting =
        scenario.start(server({"--proxy-protocol", "--handshake-timeout", "1"}, {"cat"}));
    Client silent{ready_address(waiting)};
    silent.send(header);
    CHECK(silent.rest().empty());
    CHECK(log_line(waiting, ": ending ").ends_with("the client said nothing for 1 s"));
}

TEST_CASE("a time limit of 0 is refused") {
    Scenario scenario;
    for (const Words& options :
         {Words{"--max-time", "0"}, Words{"--idle-timeout", "0"}, Words{"--handshake-timeout", "0"},
          Words{"--rate", "10/0"}, Words{"--exit-idle-time", "0"}}) {
        CAPTURE(options.front());
        CHECK(scenario.run(server(options, {"cat"})).status == 2);
    }
}

// --- Habits

TEST_CASE("a program has SIGPIPE's default, though our parent ignores it") {
    Scenario scenario;
    auto process = scenario.start_shell("trap '' PIPE; exec forking-tcp-server 127.0.0.1:0 -- "
                                        "grep SigIgn /proc/self/status");
    CHECK(ask(ready_address(process)) == "SigIgn:\t0000000000000000\n");
}

TEST_CASE("HUP executes the version to which a symbolic link leads by then") {
    Scenario scenario;
    for (const char* version : {"v1", "v2"}) {
        std::filesystem::create_directory(version);
        std::filesystem::copy_file(binary(), std::string{version} + "/forking-tcp-server");
    }
    std::filesystem::create_symlink("v1", "current");
    auto process = scenario.start({"./current/forking-tcp-server", "127.0.0.1:0", "--", "cat"});
    const auto address = ready_address(process);
    const auto exe = [&] {
        return std::filesystem::read_symlink(fmt::format("/proc/{}/exe", process.pid())).string();
    };
    CHECK(exe().ends_with("/v1/forking-tcp-server"));
    std::filesystem::create_symlink("v2", "new");
    std::filesystem::rename("new", "current");
    restart(process);
    CHECK(ask(address, "hello\n") == "hello\n");
    CHECK(exe().ends_with("/v2/forking-tcp-server"));
}

TEST_CASE("HUP changes nothing when the next image could not serve") {
    Scenario scenario;
    std::filesystem::create_directory("transcripts");
    scenario.write_file("rules", "allow all\n");
    std::filesystem::copy_file("/bin/cat", "program");
    auto process = scenario.start(
        server({"-x", "rules", "--record", "transcripts"}, {scenario.path("program")}));
    const auto address = ready_address(process);
    Client client{address};
    client.send("before\n");
    CHECK(client.line() == "before");
    std::string reason;
    SUBCASE("the program is missing") {
        std::filesystem::rename("program", "elsewhere");
        reason = "cannot execute " + scenario.path("program") + ": No such file or directory";
    }
    SUBCASE("the rules are invalid") {
        scenario.write_file("rules", "alow all\n");
        reason = "rules:1:1: expected allow or deny";
    }
    SUBCASE("no transcript can be written") {
        std::filesystem::rename("transcripts", "elsewhere");
        reason = "cannot write transcripts in transcripts: No such file or directory";
    }
    process.kill(SIGHUP);
    CHECK(log_line(process, "; going on as before").find(reason) != std::string::npos);
    client.send("after\n");
    CHECK(client.line() == "after");
    const Client next{address}; // the socket still accepts it
    if (scenario.exists("elsewhere"))
        std::filesystem::rename("elsewhere",
                                scenario.exists("program") ? "transcripts" : "program");
    scenario.write_file("rules", "allow all\n");
    restart(process);
    CHECK(ask(address, "new\n") == "new\n");
}

TEST_CASE("an address that is given twice is said to be ours") {
    Scenario scenario;
    // We need the number of a free port.
    auto process = scenario.start(server({"--once"}));
    const auto address = ready_address(process);
    CHECK_FALSE(ask(address).empty());
    CHECK(process.wait().status == 0);
    const auto twice = scenario.run(
        {"forking-tcp-server", fmt::format("{}", address.port()), address.text(), "--", "cat"});
    CHECK(twice.status == 1);
    CHECK(twice.err.starts_with(fmt::format(
        "forking-tcp-server: cannot listen on {}: Address already in use (by ", address.text())));
    CHECK(twice.err.ends_with(", which is us: another address that you gave includes it)\n"));
}

TEST_CASE("a link-local address without its interface is refused with advice") {
    Scenario scenario;
    constexpr auto advice = ": Invalid argument (a link-local address needs its interface: "
                            "fe80::1%eth0)\n";
    CHECK(scenario.run({"forking-tcp-server", "[fe80::1]:0", "--", "cat"}).err ==
          std::string{"forking-tcp-server: cannot listen on [fe80::1]:0"} + advice);
    CHECK(scenario.run({"tcp-client", "fe80::1", "80"}).err ==
          std::string{"tcp-client: cannot connect to [fe80::1]:80"} + advice);
}

TEST_CASE("a program that is stopped gets the TERM that ends its connection") {
    Scenario scenario;
    const auto last_words = [&](const std::string& limit) {
        auto process = scenario.start(
            server({"--max-time", limit},
                   shell_program("trap 'echo bye; exit 7' TERM; kill -STOP $$; cat")));
        Client client{ready_address(process)};
        auto words = client.rest();
        (void)log_line(process, ": reaped ");
        return words;
    };
    const std::string bye = "bye\n";
    CHECK(with_time_limit(last_words, [&](const auto& words) { return words == bye; }) == bye);
}

TEST_CASE("a resource limit that cannot be set is an error that names it") {
    Scenario scenario;
    const auto result = scenario.run(server({"--rlimit", "nofile=1000G"}, {"cat"}));
    CHECK(result.status == 1);
    CHECK(result.err.starts_with("forking-tcp-server: cannot set --rlimit nofile=1073741824000: "));
    auto process =
        scenario.start(server({"--rlimit", "core=unlimited"}, shell_program("ulimit -c")));
    if (::geteuid() == 0) CHECK(ask(ready_address(process)) == "unlimited\n");
}

TEST_CASE("a nice value that cannot be set is an error that names it") {
    Scenario scenario;
    // In a namespace of users of its own, not even root may be less nice than before.
    const Words less_nice{"nice", "-n", "10", "unshare", "--user", "--map-root-user"};
    const auto run = [&](const Words& words) {
        auto all = less_nice;
        all.insert(all.end(), words.begin(), words.end());
        return all;
    };
    if (scenario.run(run({"true"})).status != 0) return;
    const auto result = scenario.run(run(server({"--nice", "5"}, {"cat"})));
    CHECK(result.status == 1);
    CHECK(result.err == "forking-tcp-server: cannot set --nice 5: Permission denied\n");
    auto process = scenario.start(run(server({"--nice", "19"}, {"nice"})));
    CHECK(ask(ready_address(process)) == "19\n");
    process.kill(SIGTERM);
}

TEST_CASE("the server reports a reload, its end and that it is alive to the service manager") {
    Scenario scenario;
    const auto path = scenario.path("notify");
    const Fd socket = notify_socket(path);
    auto process = scenario.start_shell("WATCHDOG_USEC=100000 NOTIFY_SOCKET=" + path +
                                        " exec forking-tcp-server -q --keep-env 127.0.0.1:0 -- "
                                        "sh -c 'echo $NOTIFY_SOCKET$WATCHDOG_USEC; cat'");
    CHECK(notification(socket).starts_with("READY=1\n"));
    CHECK(notification(socket) == "WATCHDOG=1\n");
    process.kill(SIGHUP);
    const auto next = [&socket] {
        auto message = notification(socket);
        while (message == "WATCHDOG=1\n")
            message = notification(socket);
        return message;
    };
    CHECK(next().starts_with("RELOADING=1\nMONOTONIC_USEC="));
    CHECK(next().starts_with("READY=1\n"));
    process.kill(SIGTERM);
    CHECK(next() == "STOPPING=1\n");
    CHECK(process.wait().status == 0);
}

TEST_CASE("a server that inetd starts has the listening socket as its standard input") {
    Scenario scenario;
    const Fd socket = Fd::adopt(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto any = net::Address::parse_ip("127.0.0.1", 0).value();
    REQUIRE(::bind(socket.get(), any.data(), any.size()) == 0);
    REQUIRE(::listen(socket.get(), 5) == 0);
    const auto address = net::local_address(socket.get());
    Client client{address};
    client.end_input();
    // Use a small number, because sh(1) knows no larger ones.
    const Fd inherited = Fd::adopt(::fcntl(socket.get(), F_DUPFD, 3));
    REQUIRE(inherited.get() <= 9);
    // The server ends because no client comes. The test keeps the socket for the next server, which
    // serves the client if this one was too slow.
    const auto result = with_time_limit(
        [&](const std::string& limit) {
            return scenario.shell(fmt::format("exec forking-tcp-server -q --exit-idle-time {} -- "
                                              "sh -c 'echo served; cat' <&{}",
                                              limit, inherited.get()));
        },
        [&](const Result&) {
            return wait_for(client.fd(), POLLIN, Deadline::after(Duration::zero()));
        });
    CHECK(result.status == 0);
    CHECK(client.rest() == "served\n");
    const Client next{address};
}

TEST_CASE("a number of inherited sockets that is none is an error, if it is meant for us") {
    Scenario scenario;
    const std::string words = " exec forking-tcp-server --once 192.0.2.1:0 -- cat";
    for (const char* number : {"x", "-1", "99999999999", "1 "}) {
        const auto result = scenario.shell("LISTEN_PID=$$ LISTEN_FDS=\"$1\"" + words, {number});
        CHECK(result.status == 1);
        CHECK(result.err == fmt::format("forking-tcp-server: cannot read LISTEN_FDS={}: it is not "
                                        "a number\n",
                                        number));
    }
    // The variables are for another process, so the server ignores them.
    CHECK(contains(scenario.shell("LISTEN_PID=1 LISTEN_FDS=x" + words).err,
                   "cannot listen on 192.0.2.1:0"));
}

// Starts a server with these listening sockets as a service manager would.
Child start_with_sockets(const std::vector<Fd>& sockets, const char* names, const char* name) {
    return fork_child([&] {
        // Copy them to high numbers first, because a socket may have the number that another one
        // needs.
        std::vector<int> high;
        for (const auto& socket : sockets)
            high.push_back(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 100));
        for (std::size_t at = 0; at < high.size(); ++at)
            ::dup2(high[at], 3 + static_cast<int>(at));
        ::setenv("LISTEN_FDS", fmt::format("{}", sockets.size()).c_str(), 1);
        ::setenv("LISTEN_FDNAMES", names, 1);
        ::setenv("LISTEN_PID", fmt::format("{}", ::getpid()).c_str(), 1);
        ::execlp("forking-tcp-server", "forking-tcp-server", "-q", "--fd-name", name, "--", "cat",
                 nullptr);
        return 127;
    });
}

TEST_CASE("only the inherited sockets with the name of --fd-name are served") {
    Scenario scenario;
    std::vector<Fd> sockets;
    for (int each = 0; each < 3; ++each) {
        sockets.push_back(Fd::adopt(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)));
        const auto any = net::Address::parse_ip("127.0.0.1", 0).value();
        REQUIRE(::bind(sockets.back().get(), any.data(), any.size()) == 0);
        REQUIRE(::listen(sockets.back().get(), 8) == 0);
    }
    std::vector<net::Address> addresses;
    for (const auto& socket : sockets)
        addresses.push_back(net::local_address(socket.get()));
    {
        auto child = start_with_sockets(sockets, "web:admin:web", "web");
        sockets.clear(); // now a client of the other socket is refused
        CHECK(ask(addresses[0], "one\n") == "one\n");
        CHECK(ask(addresses[2], "three\n") == "three\n");
        CHECK_THROWS_AS(Client{addresses[1]}, SysError);
        child.kill(SIGTERM);
        CHECK(child.wait().as_exit_status() == 0);
    }
    const auto result = scenario.shell("LISTEN_FDNAMES=web LISTEN_FDS=0 exec forking-tcp-server "
                                       "--fd-name admin -- cat");
    CHECK(result.status == 1);
    CHECK(result.err == "forking-tcp-server: cannot find an inherited socket called admin "
                        "(LISTEN_FDNAMES)\n");
}
