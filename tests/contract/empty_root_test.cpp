// Runs each applet in a root directory that has only the static binary: no /etc, no /proc, no /dev
// and no shell. The applet works there, or says in one line what it lacks. Only root may change the
// root directory.
#include "contract.h"
#include "harness/ipc_namespace.h"
#include "harness/scenario.h"

#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>
#include <filesystem>
#include <fmt/format.h>

using namespace ipcbox::test;

namespace {

// A directory whose only file is the binary, named "ipcbox", and ways to run it there.
class EmptyRoot {
  public:
    explicit EmptyRoot(Scenario& scenario) : scenario_(scenario), path_(scenario.path("root")) {
        std::filesystem::create_directory(path_);
        std::filesystem::copy_file(binary(), path_ + "/ipcbox");
    }

    // WORDS are the applet and its arguments. It sees the System V objects of the process
    // NAMESPACE_OF, or has a namespace of its own. Without --fork, the applet keeps the pid.
    [[nodiscard]] Words words(const Words& words, pid_t namespace_of = 0) const {
        Words all = namespace_of == 0 ? Words{"unshare", "--ipc"}
                                      : Words{"nsenter", "--ipc", "--pid", "--target",
                                              fmt::format("{}", namespace_of)};
        for (const auto& word : {std::string{"chroot"}, path_, std::string{"/ipcbox"}})
            all.push_back(word);
        all.insert(all.end(), words.begin(), words.end());
        return all;
    }
    Result run(const Words& applet, pid_t namespace_of = 0) {
        return scenario_.run(words(applet, namespace_of));
    }
    Process start(const Words& applet) { return scenario_.start(words(applet)); }

    // Whether the test is allowed to do all this.
    bool is_possible() {
        if (!is_root()) return false;
        if (run({"--version"}).status == 0) return true;
        MESSAGE("skipped, we may not change the root directory");
        return false;
    }

  private:
    Scenario& scenario_;
    std::string path_;
};

struct Call {
    Words words;
    int status;
    // A part of the output. If the status is 0, this is standard output; otherwise it is the one
    // line on standard error.
    std::string part;
};

// Each applet is called at least once, and also with the options that look at the machine.
const std::vector<Call>& calls() {
    static const std::vector<Call> all{
        {{"catsock-client", "/s"}, 1, "cannot connect to /s: No such file"},
        {{"daemon-run", "/ipcbox", "--list"}, 125, "cannot open /dev/null: No such file"},
        {{"daytime", "127.0.0.1"}, 1, "127.0.0.1: refused"},
        {{"fifosig", "-s", "hello", "/f"}, 1, "cannot serve /f: there is no /proc"},
        {{"ipc-list"}, 0, ""},
        {{"ipc-remove", "@x"}, 1, "cannot remove @x: there is no such object"},
        {{"lock-run", "/lock", "/ipcbox", "--list"}, 0, "lock-run"},
        {{"lock-run", "--max-hold", "1m", "/lock", "/ipcbox", "--list"}, 0, "lock-run"},
        {{"magic-cat", "/ipcbox --list|"}, 0, "magic-cat"},
        {{"open2-run", "--", "/ipcbox", "signal-list", "--with", "/ipcbox", "magic-cat"}, 0, ""},
        {{"open2-run", "--ask", "a", "--", "/ipcbox", "magic-cat", "-"}, 0, "a\n"},
        {{"open3-run", "--", "/ipcbox", "--list"}, 0, "O: open3-run"},
        {{"pipe-run", "--", "/ipcbox", "--list", "--then", "/ipcbox", "magic-cat"}, 0, "pipe-run"},
        {{"pipe-run", "-u", "1=nobody", "--", "/ipcbox", "--list"}, 2, "there is no such user"},
        {{"process-alive", "1"}, 0, ""},
        {{"process-alive", "-i", "1"}, 0, "1\n"},
        {{"process-wait", "4194304"}, 1, "cannot wait for 4194304: no such process"},
        {{"pty-expect", "-e", "pty", "--", "/ipcbox", "--list"},
         125,
         "cannot open /dev/ptmx: No such file"},
        {{"pty-run", "--", "/ipcbox", "--list"}, 125, "cannot open /dev/ptmx: No such file"},
        {{"reap-run", "/ipcbox", "--list"}, 0, "reap-run"},
        {{"reap-run", "--kill-orphans", "TERM:1s", "/ipcbox", "--list"}, 0, "reap-run"},
        {{"reap-run", "--list"}, 1, "cannot find the processes: there is no /proc"},
        {{"safe-write", "/file"}, 0, ""},
        {{"safe-write", "-u", "65534:65534", "--", "/ipcbox", "--list"}, 0, "safe-write"},
        {{"sem-create", "@x"}, 0, ""},
        {{"sem-give", "@x"}, 1, "cannot give to @x: there is no such set"},
        {{"sem-take", "-j", "2", "@x", "--", "/ipcbox", "--list"}, 0, "sem-take"},
        {{"sem-take", "--etcd", "http://[::1]:1", "@x", "--", "/ipcbox", "--list"},
         125,
         "cannot guard /ipcbox: there is no /proc"},
        {{"shm-demo"}, 0, "Message #1"},
        {{"shm-read", "@x"}, 1, "cannot open shared memory @x: there is no such segment"},
        {{"shm-write", "--create", "--size", "4K", "@x"}, 0, ""},
        {{"signal-list", "TERM"}, 0, "15"},
        {{"signal-run", "/ipcbox", "--list"}, 0, "signal-run"},
        {{"signal-run", "--log", "--on", "USR1=echo", "/ipcbox", "--list"}, 0, "signal-run"},
        {{"signal-send", "4194304"}, 1, "no such process"},
        {{"signal-send", "--name", "x"}, 1, "cannot find the processes: there is no /proc"},
        {{"signal-send", "--group", "0", "--except-self"}, 1, "there is no /proc"},
        {{"signal-show", "1"}, 1, "cannot show 1: there is no /proc"},
        {{"tcp-client", "127.0.0.1", "1"}, 1, "cannot connect to 127.0.0.1:1: Connection refused"},
        {{"tcp-client", "localhost", "echo"}, 1, "cannot connect to localhost:7"},
        {{"tcp-interact", "127.0.0.1", "1"}, 1, "cannot connect to 127.0.0.1:1"},
        {{"timecheck", "127.0.0.1"}, 1, ""},
        {{"timeout-run", "1m", "/ipcbox", "--list"}, 0, "timeout-run"},
        {{"timeout-run", "--idle", "1s", "0", "/ipcbox", "--list"},
         125,
         "cannot use --idle: there is no /proc"},
        {{"udptime", "127.0.0.1"}, 1, ""},
        {{"webget", "http://localhost:1/"}, 7, "cannot connect to localhost:1"},
    };
    return all;
}

// These are started, and do their work for a client.
const std::vector<std::string>& servers() {
    static const std::vector<std::string> all{"catsock-server", "command-server",
                                              "forking-tcp-server", "tcp-server", "time-server"};
    return all;
}

} // namespace

TEST_CASE("every applet works in an empty root directory, or says in one line what it lacks") {
    Scenario scenario;
    EmptyRoot root{scenario};
    if (!root.is_possible()) return;
    for (const auto& [words, status, part] : calls()) {
        if (!contains(scenario.run({"ipcbox", "--list"}).out, words.front() + '\n')) continue;
        CAPTURE(fmt::format("{}", fmt::join(words, " ")));
        const auto result = root.run(words);
        CHECK_MESSAGE(result.status == status, result.err);
        CHECK_MESSAGE(contains(status == 0 ? result.out : result.err, part), result.out,
                      result.err);
        if (status != 0) CHECK_MESSAGE((result.err.empty() || is_one_line(result.err)), result.err);
    }
}

TEST_CASE("each applet has a call in the table of this test") {
    Scenario scenario;
    for (const auto& name : lines(scenario.run({"ipcbox", "--list"}).out)) {
        const bool has_call = std::ranges::any_of(
            calls(), [&name](const Call& call) { return call.words.front() == name; });
        CHECK_MESSAGE((has_call || std::ranges::count(servers(), name) > 0), name);
    }
}

TEST_CASE(
    "the TCP servers serve in an empty root directory, and HUP puts them in their own place") {
    Scenario scenario;
    EmptyRoot root{scenario};
    if (!root.is_possible()) return;
    Words words;
    std::string answer;
    SUBCASE("forking-tcp-server") {
        words = {
            "forking-tcp-server", "--notify-fd", "1", "127.0.0.1:0", "--", "/ipcbox", "--list"};
        answer = "catsock-client\n";
    }
    SUBCASE("tcp-server") {
        words = {"tcp-server", "--notify-fd", "1", "127.0.0.1:0", "--", "/ipcbox", "--list"};
        answer = "catsock-client\n";
    }
    SUBCASE("forking-tcp-server whose programs are relayed") {
        words = {"forking-tcp-server", "--notify-fd", "1",       "--idle-timeout", "1m",
                 "127.0.0.1:0",        "--",          "/ipcbox", "--list"};
        answer = "catsock-client\n";
    }
    SUBCASE("command-server, whose commands would need /dev/null") {
        words = {"command-server", "--notify-fd",         "1",
                 "--command",      "list=/ipcbox --list", "127.0.0.1:0"};
        answer = "Command? the command cannot be run\n";
    }
    auto server = root.start(words);
    const auto address = split(server.line(), ' ').back();
    const auto is_answered = [&] {
        return contains(scenario.run({"tcp-client", address}, "list\nquit\n").out, answer);
    };
    CHECK(is_answered());
    server.kill(SIGHUP);
    while (!contains(server.error_line(), "restarting"))
        ;
    CHECK(is_answered());
    server.kill(SIGTERM);
    CHECK(server.wait().status == 0);
}

TEST_CASE("catsock-server and time-server serve in an empty root directory") {
    Scenario scenario;
    EmptyRoot root{scenario};
    if (!root.is_possible()) return;
    auto server =
        root.start({"catsock-server", "--notify-fd", "1", "/s", "--", "/ipcbox", "--list"});
    CHECK(contains(server.line(), "listening on /s"));
    CHECK(contains(root.run({"catsock-client", "/s"}).out, "catsock-server\n"));
    server.kill(SIGTERM);
    CHECK(server.wait().status == 0);

    auto clock = root.start({"time-server", "--notify-fd", "1", "127.0.0.1:0"});
    const auto address = split(clock.line(), ' ').at(2);
    CHECK(contains(root.run({"timecheck", address}).out, address));
    clock.kill(SIGTERM);
    CHECK(clock.wait().status == 0);
}

TEST_CASE("a container needs only ipcbox: init, start order, health check and one job at a time") {
    Scenario scenario;
    EmptyRoot root{scenario};
    if (!root.is_possible()) return;
    scenario.write_file("root/answer", "HTTP/1.0 200 OK\r\n\r\nhealthy\n");
    // In this container, PID 1 is reap-run.
    auto container = scenario.start({"unshare", "--pid", "--ipc", "--fork", "--kill-child",
                                     "chroot", scenario.path("root"), "/ipcbox", "reap-run", "--",
                                     "/ipcbox", "forking-tcp-server", "--notify-fd", "1",
                                     "127.0.0.1:0", "--", "/ipcbox", "magic-cat", "/answer"});
    const auto address = split(container.line(), ' ').back();
    const auto init = children_of(container.pid()).at(0);

    CHECK(contains(
        root.run({"tcp-client", "--wait-for", address, "--", "/ipcbox", "--list"}, init).out,
        "sem-take\n"));
    CHECK(root.run({"tcp-client", "-z", address}, init).status == 0);
    CHECK(contains(root.run({"tcp-client", "--tls", address}, init).err,
                   "cannot speak TLS: ipcbox-tls was not found"));
    CHECK(contains(root.run({"webget", "-q", "http://" + address + "/"}, init).out, "healthy\n"));

    // This job ends when the container ends.
    auto job = scenario.start(
        root.words({"sem-take", "-j", "1", "@job", "--", "/ipcbox", "process-wait", "1"}, init));
    constexpr int taken = 7;
    CHECK(eventually([&] {
        const Words other{"sem-take", "-n",   "-E", "7",       "-j",
                          "1",        "@job", "--", "/ipcbox", "--list"};
        return root.run(other, init).status == taken;
    }));

    ::kill(init, SIGTERM);
    CHECK(container.wait().status == 0);
}
