#include "core/program.h"
#include "harness/client.h"
#include "harness/scenario.h"
#include "harness/time_limit.h"

#include "core/user.h"

#include <algorithm>
#include <array>
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

// A server of the socket "sock" in the working directory, or of PLACES.
Words server(const Words& options, const Words& program = {}, const Words& places = {"./sock"}) {
    Words words{"catsock-server"};
    for (const auto* part : {&options, &places})
        words.insert(words.end(), part->begin(), part->end());
    if (program.empty()) return words;
    words.emplace_back("--");
    words.insert(words.end(), program.begin(), program.end());
    return words;
}

Words shell_program(const std::string& script) {
    return {"sh", "-c", script};
}

// Like ready_address(), but for a relative path.
net::Address ready(Process& process, const std::string& path = "./sock") {
    CHECK(process.error_line() == "catsock-server: listening on " + path);
    return net::Address::unix_path(path);
}

struct stat status_of(const std::string& path) {
    struct stat status {};
    REQUIRE(::lstat(path.c_str(), &status) == 0);
    return status;
}

// Leaves a socket file that no process serves.
void leave_dead_socket(const std::string& path) {
    const Fd socket = Fd::adopt(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto address = net::Address::unix_path(path);
    REQUIRE(::bind(socket.get(), address.data(), address.size()) == 0);
}

// The whole standard error of a server that cannot listen.
std::string refusal(Scenario& scenario, const std::string& path) {
    const auto result = scenario.run(server({}, {}, {path}));
    CHECK(result.status == 1);
    CHECK(result.out.empty());
    return result.err;
}

} // namespace

TEST_CASE("a client is greeted, and the log says which process came") {
    Scenario scenario;
    auto process = scenario.start(server({}));
    const auto address = ready(process);
    const auto start = fmt::format("catsock-server {}: ", process.pid());
    CHECK(process.error_line().starts_with(start + "server started on ./sock at "));
    Client client{address};
    CHECK(client.line().starts_with("Hello there, it's now "));
    (void)client.rest(); // a fortune, if there are any
    CHECK(process.error_line().starts_with(
        fmt::format("{}connection on ./sock from process {} of {} at ", start, ::getpid(),
                    user_name(::geteuid()))));
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
    CHECK_FALSE(scenario.exists("sock"));
    CHECK_FALSE(scenario.exists("sock.lock"));
}

TEST_CASE("a program finds the variables of both families of tools") {
    Scenario scenario;
    auto process = scenario.start(server({}, {"env"}));
    std::string expected = "PATH=/usr/bin:/bin\nPROTO=UNIX\n";
    for (const char* family : {"UNIX", "IPC"})
        expected += fmt::format("{0}LOCALPATH=./sock\n{0}LOCALUID={2}\n{0}LOCALGID={3}\n"
                                "{0}REMOTEPATH=\n{0}CONNNUM=1\n{0}REMOTEPID={1}\n"
                                "{0}REMOTEEUID={2}\n{0}REMOTEEGID={3}\n",
                                family, ::getpid(), ::geteuid(), ::getegid());
    CHECK(ask(ready(process)) == expected);
}

TEST_CASE("an echo of more than a buffer arrives whole after the half-close") {
    Scenario scenario;
    auto process = scenario.start(server({}, {"cat"}));
    std::string text(1'288'895, '\0');
    for (std::size_t at = 0; at < text.size(); ++at)
        text[at] = static_cast<char>(at * 7 % 251);
    Client client{ready(process)};
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

TEST_CASE("--allow lets in a client that fits one of the rules") {
    Scenario scenario;
    const auto uid = fmt::format("uid={}", ::geteuid());
    const auto nobody = fmt::format("uid={}", ::geteuid() + 1);
    const auto exe = "exe=" + own_program();
    const auto allows = [&](const Words& rules) {
        Words options;
        for (const auto& rule : rules) {
            options.emplace_back("--allow");
            options.push_back(rule);
        }
        auto process = scenario.start(server(options, {"echo", "in"}));
        Client client{ready(process)};
        const auto answer = client.line();
        if (answer.empty())
            CHECK(log_line(process, ": refused ")
                      .ends_with(fmt::format("on ./sock from process {} of {}: no --allow rule "
                                             "lets it in",
                                             ::getpid(), user_name(::geteuid()))));
        process.kill(SIGTERM);
        CHECK(process.wait().status == 0);
        return answer == "in";
    };
    CHECK(allows({uid}));
    CHECK(allows({exe}));
    CHECK(allows({nobody, uid + "," + exe}));
    CHECK_FALSE(allows({nobody}));
    CHECK_FALSE(allows({"exe=/bin/sh"}));
    CHECK_FALSE(allows({uid + ",exe=/bin/sh", nobody + "," + exe}));
    const auto wrong = scenario.run(server({"--allow", "pid=1"}));
    CHECK(wrong.status == 2);
    CHECK(wrong.err.starts_with("catsock-server: --allow 'pid=1': expected uid=, "));
}

TEST_CASE("a program without -- before it is not taken for more sockets") {
    Scenario scenario;
    const auto result =
        scenario.run({"catsock-server", scenario.path("socket"), "cat", "/etc/hostname"});
    CHECK(result.status == 2);
    CHECK(result.err == "catsock-server: PATH 'cat': expected a path with a slash, or -- before a "
                        "PROGRAM (see catsock-server --help)\n");
    CHECK_FALSE(std::filesystem::exists(scenario.path("socket")));
}

TEST_CASE("the mode is what was asked for, regardless of the umask") {
    Scenario scenario;
    constexpr mode_t permissions = 07777;
    auto process = scenario.start(server({}));
    (void)ready(process);
    CHECK(S_ISSOCK(status_of("sock").st_mode));
    CHECK((status_of("sock").st_mode & permissions) == 0600);
    auto open = scenario.start_shell("umask 077; exec catsock-server -m 666 ./open");
    (void)ready(open, "./open");
    CHECK((status_of("open").st_mode & permissions) == 0666);
    auto closed = scenario.start_shell("umask 0; exec catsock-server -m 200 ./closed");
    (void)ready(closed, "./closed");
    CHECK((status_of("closed").st_mode & permissions) == 0200);
}

TEST_CASE("the socket gets the owner that we named, or the server fails") {
    Scenario scenario;
    if (::geteuid() != 0) {
        CHECK(scenario.run(server({"-o", "root"})).status == 1);
        CHECK_FALSE(scenario.exists("sock"));
        return;
    }
    const auto nobody = find_user("nobody").value();
    auto process = scenario.start(server({"-o", "nobody", "-m", "660"}));
    (void)ready(process);
    CHECK(status_of("sock").st_uid == nobody.uid);
    CHECK((status_of("sock").st_mode & 0777) == 0660);
}

TEST_CASE("a live server is not displaced, and the error says who it is") {
    Scenario scenario;
    // The kernel lists a relative path as it is, and another server may have the same one.
    const auto path = scenario.path("sock");
    auto process = scenario.start(server({}, {"echo", "first"}, {path}));
    const auto address = ready(process, path);
    CHECK(refusal(scenario, path)
              .starts_with(fmt::format("catsock-server: cannot listen on {}: it is served by {} (",
                                       path, process.pid())));
    CHECK(ask(address) == "first\n");

    // This test is a server too, and does not know the lock.
    const Fd foreign = Fd::adopt(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto theirs = net::Address::unix_path("./foreign");
    REQUIRE(::bind(foreign.get(), theirs.data(), theirs.size()) == 0);
    REQUIRE(::listen(foreign.get(), 1) == 0);
    CHECK(refusal(scenario, "./foreign").find(fmt::format(": it is served by {} (", ::getpid())) !=
          std::string::npos);
    CHECK(scenario.exists("foreign"));
    CHECK_FALSE(scenario.exists("foreign.lock"));
}

TEST_CASE("the socket of a dead server is taken over") {
    Scenario scenario;
    leave_dead_socket("./sock");
    auto process = scenario.start(server({}, {"echo", "new"}));
    CHECK(ask(ready(process)) == "new\n");
    process.kill(SIGKILL);
    CHECK(process.wait().status == 128 + SIGKILL);
    CHECK(scenario.exists("sock"));
    auto next = scenario.start(server({}, {"echo", "next"}));
    CHECK(ask(ready(next)) == "next\n");
    next.kill(SIGTERM);
    CHECK(next.wait().status == 0);
    CHECK_FALSE(scenario.exists("sock"));
    CHECK_FALSE(scenario.exists("sock.lock"));
}

TEST_CASE("a file that is not a socket is never removed") {
    Scenario scenario;
    scenario.write_file("file", "precious");
    REQUIRE(::mkdir("directory", 0700) == 0);
    REQUIRE(::symlink("file", "link") == 0);
    CHECK(refusal(scenario, "./file") ==
          "catsock-server: cannot listen on ./file: it is a regular file\n");
    CHECK(refusal(scenario, "./directory").ends_with(": it is a directory\n"));
    CHECK(refusal(scenario, "./link").ends_with(": it is a symbolic link\n"));
    CHECK(scenario.read_file("file") == "precious");
    CHECK(S_ISLNK(status_of("link").st_mode));
    for (const char* lock : {"file.lock", "directory.lock", "link.lock"})
        CHECK_FALSE(scenario.exists(lock));
}

TEST_CASE("a path where no socket can be is refused with the reason") {
    Scenario scenario;
    CHECK(refusal(scenario, "./" + std::string(106, 'x')).find("but it has 106\n") !=
          std::string::npos);
    const auto longer = scenario.run(server({}, {}, {"./" + std::string(4094, 'x')}));
    CHECK(longer.status == 2);
    CHECK(contains(longer.err, "4095"));
    CHECK(refusal(scenario, "./no/sock").ends_with("No such file or directory\n"));
    REQUIRE(::mkdir("open", 0700) == 0);
    REQUIRE(::chmod("open", 0777) == 0);
    CHECK(refusal(scenario, "./open/sock").find("every user can write in its directory") !=
          std::string::npos);
}

TEST_CASE("a name that no socket can have is a usage error, as for the client") {
    Scenario scenario;
    for (const Words& line :
         {Words{"catsock-server", "@", "--", "true"}, Words{"catsock-server", ""},
          Words{"catsock-server", "@" + std::string(200, 'x')}, Words{"command-server", "@"}}) {
        CAPTURE(fmt::format("{}", fmt::join(line, " ")));
        CHECK(scenario.run(line).status == 2);
    }
}

TEST_CASE("a server can listen at a name in the abstract namespace") {
    Scenario scenario;
    const auto name = scenario.name();
    auto process = scenario.start(server({}, shell_program("echo $UNIXLOCALPATH"), {name}));
    CHECK(ask(ready(process, name)) == name + "\n");
    CHECK(refusal(scenario, name)
              .starts_with(fmt::format("catsock-server: cannot listen on {}: Address already in "
                                       "use (by {} (",
                                       name, process.pid())));
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
}

TEST_CASE("a file that another process put in our place stays") {
    Scenario scenario;
    auto process = scenario.start(server({}));
    (void)ready(process);
    REQUIRE(::unlink("sock") == 0);
    leave_dead_socket("./sock");
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
    CHECK(scenario.exists("sock"));
    CHECK_FALSE(scenario.exists("sock.lock"));
}

TEST_CASE("HUP keeps the socket's file, and no client notices") {
    Scenario scenario;
    auto process = scenario.start(server({}, {"cat"}));
    const auto address = ready(process);
    const auto before = status_of("sock");
    Client client{address};
    client.send("before\n");
    CHECK(client.line() == "before");
    for (int round = 0; round < 3; ++round) {
        process.kill(SIGHUP);
        CHECK(ask(address, "new\n") == "new\n");
        (void)log_line(process, ": restarting");
        (void)log_line(process, ": server started on ./sock at ");
    }
    CHECK(status_of("sock").st_ino == before.st_ino);
    CHECK(refusal(scenario, "./sock").find("it is served by ") != std::string::npos);
    client.send("after\n");
    CHECK(client.line() == "after");
    process.kill(SIGUSR1);
    CHECK(log_line(process, " serves the connection on ./sock from process ")
              .find(fmt::format(" {} of ", ::getpid())) != std::string::npos);
    process.kill(SIGTERM);
    client.end_input();
    CHECK(client.rest().empty());
    CHECK(process.wait().status == 0);
    CHECK_FALSE(scenario.exists("sock"));
    CHECK_FALSE(scenario.exists("sock.lock"));
}

TEST_CASE("a server listens at all of its sockets or at none") {
    Scenario scenario;
    const auto name = scenario.name();
    auto process =
        scenario.start(server({}, shell_program("echo $IPCLOCALPATH"), {"./one", "./two", name}));
    for (const auto& place : {std::string{"./one"}, std::string{"./two"}, name})
        CHECK(ask(ready(process, place)) == place + "\n");
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
    scenario.write_file("file", "");
    CHECK(scenario.run(server({}, {}, {"./one", "./file"})).status == 1);
    for (const char* file : {"one", "two", "one.lock", "two.lock"})
        CHECK_FALSE(scenario.exists(file));
}

TEST_CASE("--json names the client's process") {
    Scenario scenario;
    auto process = scenario.start(server({"-J"}, shell_program("cat; kill -KILL $$")));
    CHECK(ask(ready(process), "four\n") == "four\n");
    const auto line = process.line();
    CHECK(line.starts_with(
        fmt::format(R"({{"v":1,"peer":"","local":"./sock","name":null,"peer_pid":{},"peer_uid":{},)"
                    R"("peer_gid":{},"pid":)",
                    ::getpid(), ::geteuid(), ::getegid())));
    CHECK(line.ends_with(R"("exit":null,"signal":"KILL"})"));
}

TEST_CASE("time limits, --once and --over end connections as they do over TCP") {
    Scenario scenario;
    auto limited = scenario.start(server({"--max-time", "0.05"}, {"cat"}));
    CHECK(Client{ready(limited)}.rest().empty());
    CHECK(log_line(limited, ": ending ").ends_with(": not done after 0.05 s"));
    limited.kill(SIGTERM);
    CHECK(limited.wait().status == 0);

    auto once = scenario.start(server({"--once"}, {"echo", "you"}));
    CHECK(ask(ready(once)) == "you\n");
    CHECK(once.wait().status == 0);

    auto full = scenario.start(server({"-c", "1", "--over", "come back later"}, {"cat"}));
    const auto address = ready(full);
    Client first{address};
    first.send("hello\n");
    CHECK(first.line() == "hello");
    CHECK(Client{address}.rest() == "come back later\n");
}

TEST_CASE("the default is the manual page's socket") {
    Scenario scenario;
    CHECK(scenario.run({"catsock-server", "--help"}).out.find("(default /tmp/catsock)") !=
          std::string::npos);
}

TEST_CASE("an idle connection ends with the whole group of its program, and the log says so") {
    Scenario scenario;
    const auto first_line = [&](const std::string& limit) {
        auto process = scenario.start(
            server({"--idle-timeout", limit}, shell_program("exec 3<&0; cat <&3 & echo $!; wait")));
        Client client{ready(process)};
        auto line = client.line();
        CHECK(client.rest().empty()); // the child has closed the connection, too
        CHECK(contains(log_line(process, ": ending "), ": idle for "));
        CHECK(log_line(process, ": reaped ").ends_with(" killed by TERM"));
        return line;
    };
    CHECK_FALSE(
        with_time_limit(first_line, [](const auto& line) { return !line.empty(); }).empty());
}

TEST_CASE("HUP keeps a socket whose path has a line feed, and the end removes it") {
    Scenario scenario;
    const std::string path = "./line\nfeed";
    auto process = scenario.start(server({"-q", "--notify-fd", "1"}, {"cat"}, {path}));
    CHECK(process.line() == "listening on ./line^Jfeed");
    const auto address = net::Address::unix_path(path);
    CHECK(ask(address, "before\n") == "before\n");
    process.kill(SIGHUP);
    CHECK(log_line(process, ": restarting").ends_with("restarting"));
    CHECK(ask(address, "after\n") == "after\n");
    process.kill(SIGTERM);
    CHECK(process.wait().status == 0);
    CHECK_FALSE(scenario.exists("line\nfeed"));
    CHECK_FALSE(scenario.exists("line\nfeed.lock"));
}
