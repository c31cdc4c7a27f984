#include "harness/peer.h"
#include "harness/scenario.h"

#include "core/error.h"
#include "core/fd.h"
#include "core/file_lock.h"
#include "core/io.h"
#include "core/process_stat.h"
#include "core/signals.h"

#include <algorithm>
#include <csignal>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>
#include <utility>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

Words words(const Words& options, const Words& command) {
    Words all{"daemon-run"};
    all.insert(all.end(), options.begin(), options.end());
    all.insert(all.end(), command.begin(), command.end());
    return all;
}

// A daemon that runs until a signal ends it.
const Words sleeper{"sleep", "1000"};

pid_t pid_in(const std::string& id) {
    return static_cast<pid_t>(std::stoi(id));
}

// Waits until the file NAME contains PART.
bool gets(const Scenario& scenario, std::string_view name, std::string_view part) {
    return eventually([&] {
        try {
            return contains(scenario.read_file(name), part);
        } catch (const Error&) { // it is just being rotated
            return false;
        }
    });
}

} // namespace

TEST_CASE("a daemon has its own session, no terminal, no open file and no changed signal") {
    Scenario scenario;
    const auto script = "trap '' USR1; exec 7<.; daemon-run --settle 0 -o out -e err -E A=b -- "
                        "sh -c 'pwd; echo $A; grep -c . /proc/$$/fd/0; ls /proc/$$/fd; "
                        "grep -E \"SigIgn|SigBlk\" /proc/self/status; echo end; exec sleep 1000'";
    const auto result = scenario.shell(script);
    REQUIRE(result.status == 0);
    REQUIRE(gets(scenario, "out", "end\n"));
    CHECK(scenario.read_file("out") ==
          "/\nb\n0\n0\n1\n2\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nend\n");
    const auto stat = read_process_stat(pid_in(result.out));
    REQUIRE(stat);
    CHECK(stat->session == stat->pid);
    CHECK(result.out == fmt::format("{}:{}\n", stat->pid, stat->start_ticks));
}

TEST_CASE("a command that cannot be run has the statuses of env") {
    Scenario scenario;
    CHECK(scenario.run(words({"-p", "pid"}, {"no-such-command"})).status == 127);
    CHECK(scenario.run(words({"-p", "pid"}, {"."})).status == 126);
    scenario.write_file("text", "true");
    CHECK(scenario.run(words({"-p", "pid"}, {"./text"})).status == 126);
    CHECK(scenario.run(words({"-p", "pid", "-o", "none/out"}, sleeper)).status == 125);
    const auto lost = scenario.run(words({"-p", "pid", "-c", "none"}, sleeper));
    CHECK(lost.status == 125);
    CHECK(lost.err == "daemon-run: cannot go to none: No such file or directory\n");
    CHECK_FALSE(scenario.exists("pid"));
}

TEST_CASE("a daemon that ends immediately gives its status, and leaves no pid file") {
    Scenario scenario;
    for (const auto& [script, status] : {std::pair{"exit 3", 3}, std::pair{"exit 0", 0},
                                         std::pair{"kill -KILL $$", 128 + SIGKILL}}) {
        const auto result =
            scenario.run(words({"-p", "pid", "--settle", "30"}, {"sh", "-c", script}));
        CHECK(result.status == status);
        CHECK(result.out.empty());
        CHECK(result.err.starts_with("daemon-run: sh ended after "));
        CHECK_FALSE(scenario.exists("pid"));
    }
    const auto result = scenario.run(words({"-J", "--settle", "30"}, {"sh", "-c", "exit 3"}));
    CHECK(contains(result.out, R"("outcome":"ended","id":")"));
    CHECK(contains(result.out, R"("status":3,"seconds":)"));
}

TEST_CASE("a daemon is ready once it writes a line to its descriptor") {
    Scenario scenario;
    const auto start = [&](const char* script, const char* settle = "30") {
        return scenario.run(
            words({"--ready-fd", "9", "-J", "--settle", settle}, {"sh", "-c", script}));
    };
    CHECK(contains(start("echo up >&9; exec sleep 1000").out, R"("outcome":"ready")"));
    const auto closed = start("exec 9>&-; exec sleep 1000", "0.1");
    CHECK(closed.status == 1);
    CHECK(contains(closed.err, "it closed the descriptor of --ready-fd without writing a line\n"));
    CHECK(start("exit 0").status == 1);
    CHECK(start("exit 5").status == 5);
}

TEST_CASE("a daemon that is not ready in time is ended") {
    Scenario scenario;
    const auto result = scenario.run(words(
        {"-p", "pid", "--ready-notify", "--ready-timeout", "0.1", "--stages", "TERM:0.1s,KILL"},
        {"sh", "-c", "trap '' TERM; echo $$ >&2; while :; do sleep 1; done"}));
    CHECK(result.status == 124);
    CHECK(contains(result.err, "is not ready after "));
    CHECK(contains(result.err, "s: it has not sent READY=1\n"));
    CHECK_FALSE(scenario.exists("pid"));
    CHECK(test::children_of(::getpid()).size() <= 1); // its sleep, for which nobody waits
}

TEST_CASE("a server is ready once it notifies, or listens on its port") {
    Scenario scenario;
    const auto notifies =
        scenario.run(words({"--ready-notify", "-J"}, {"tcp-server", "127.0.0.1:0", "--", "true"}));
    CHECK(contains(notifies.out, R"("outcome":"ready")"));
    const ReservedPort reserved; // nobody else gets the port after the first server
    const auto port = fmt::format("{}", reserved.number());
    const Words again{"tcp-server", "127.0.0.1:" + port, "--", "true"};
    auto server = scenario.start(again);
    REQUIRE(contains(server.error_line(), "listening on "));
    const Words options{"--ready-port", port, "--ready-timeout", "0.2", "-J"};
    // Another process listens on the port, and not the daemon.
    const auto stranger = scenario.run(words(options, sleeper));
    CHECK(stranger.status == 124);
    CHECK(contains(stranger.err, fmt::format("it does not listen on port {}\n", port)));
    server.kill(SIGTERM);
    (void)server.wait();
    CHECK(contains(scenario.run(words({"--ready-port", port, "-J"}, again)).out,
                   R"("outcome":"ready")"));
}

TEST_CASE("a daemon is ready once a line of its output says so") {
    Scenario scenario;
    scenario.write_file("log", "port 1 is open\n");
    const Words command{"sh", "-c", "echo port x; echo port 99 is open >&2; exec sleep 1000"};
    const auto start = [&](Words options) {
        for (const char* word : {"--ready-log", "^port \\d+ is", "-J"})
            options.emplace_back(word);
        return scenario.run(words(options, command));
    };
    constexpr std::string_view ready = R"("outcome":"ready")";
    CHECK(contains(start({"-a", "-o", "log", "-e", "log"}).out, ready));
    CHECK(contains(start({"-o", "/dev/null", "-e", "err"}).out, ready));
    CHECK(contains(start({"-e", "err", "--rotate", "1M:1"}).out, ready));
    CHECK(contains(start({"-e", "err", "--respawn", "1/1m"}).out, ready));
    const auto silent = start({"-a", "-o", "log", "--ready-timeout", "0.1"});
    CHECK(silent.status == 124);
    CHECK(contains(silent.err, ": no line of its output matches --ready-log\n"));
    CHECK(start({}).status == 2);
    CHECK(scenario.run({"daemon-run", "-o", "log", "--ready-log", "(", "true"}).status == 2);
}

TEST_CASE("a daemon runs once, because the pid file means one process forever") {
    Scenario scenario;
    const Words options{"-p", "pid", "--settle", "0"};
    const auto first = scenario.run(words(options, sleeper));
    REQUIRE(first.status == 0);
    const pid_t pid = pid_in(first.out);
    CHECK(scenario.read_file("pid") == fmt::format("{}\n", pid));
    const auto second = scenario.run(words(options, sleeper));
    CHECK(second.status == 1);
    CHECK(second.err.starts_with(
        fmt::format("daemon-run: cannot start sleep: it is already running: {} (sleep, ", pid)));
    const auto status = scenario.run({"daemon-run", "-p", "pid", "--status"});
    CHECK(status.status == 0);
    CHECK(status.out == first.out);
    CHECK(scenario.run({"daemon-run", "-p", "pid", "--stop"}).status == 0);
    CHECK(has_ended(pid));
    CHECK_FALSE(scenario.exists("pid"));
    CHECK(scenario.run({"daemon-run", "-p", "pid", "--status"}).status == 3);
    const auto again = scenario.run({"daemon-run", "-p", "pid", "--stop"});
    CHECK(again.status == 1);
    CHECK(contains(again.err, "it is not running\n"));
}

TEST_CASE("when many start the same daemon at once, one of them does") {
    Scenario scenario;
    const auto result = scenario.shell("for i in 1 2 3 4 5 6 7 8; do daemon-run --settle 0 -p pid "
                                       "sleep 1000 2>/dev/null & done; wait");
    CHECK(std::ranges::count(result.out, '\n') == 1);
    CHECK(result.out.starts_with(scenario.read_file("pid").substr(0, 2)));
}

TEST_CASE("a start that waits for the pid file sees a daemon that keeps it locked") {
    Scenario scenario;
    auto daemon = scenario.start_shell("echo up; exec sleep 1000");
    REQUIRE(daemon.line() == "up");
    const Fd file = open_file("pid", O_RDWR | O_CREAT, 0600);
    REQUIRE(lock_until(file.get(), LockKind::exclusive, Deadline::never(), "pid"));
    auto start = scenario.start(words({"-p", "pid"}, sleeper));
    REQUIRE(eventually([&] { return is_blocked_in(start.pid(), SYS_flock); }));
    write_all(file.get(), fmt::format("{}\n", daemon.pid()), "pid");
    const auto result = start.wait();
    CHECK(result.status == 1);
    CHECK(result.err.starts_with(
        fmt::format("daemon-run: cannot start sleep: it is already running: {} (", daemon.pid())));
}

TEST_CASE("a stranger that has the pid now is left alone") {
    Scenario scenario;
    auto stranger = scenario.start_shell("echo up; exec sleep 1000");
    REQUIRE(stranger.line() == "up");
    const auto number = fmt::format("{}\n", stranger.pid());
    SUBCASE("because it started at another time") {
        scenario.write_file("pid", number);
        if (::setxattr("pid", "user.ipcbox.start", "1", 1, 0) != 0) return; // no attributes
    }
    SUBCASE("because another program's file is older than the process") {
        scenario.write_file("pid", number);
        const timespec times[]{{1, 0}, {1, 0}};
        REQUIRE(::utimensat(AT_FDCWD, "pid", times, 0) == 0);
    }
    SUBCASE("because the file contains another start time") {
        scenario.write_file("pid", fmt::format("{}:1\n", stranger.pid()));
    }
    CHECK(scenario.run({"daemon-run", "-p", "pid", "--status"}).status == 1);
    CHECK(scenario.run({"daemon-run", "-p", "pid", "--stop"}).status == 1);
    CHECK(scenario.run({"daemon-run", "-p", "pid", "--reload"}).status == 1);
    CHECK(stranger.is_running());
}

TEST_CASE("the pid file of another program works, unless it cannot be trusted") {
    Scenario scenario;
    auto other = scenario.start_shell("echo up; exec sleep 1000");
    REQUIRE(other.line() == "up");
    scenario.write_file("pid", fmt::format("{}", other.pid()));
    const auto status = [&] { return scenario.run({"daemon-run", "-p", "pid", "--status"}); };
    CHECK(status().status == 0);
    if (::geteuid() == 0) {
        REQUIRE(::chmod("pid", 0666) == 0);
        CHECK(status().status == 4);
        REQUIRE(::chmod("pid", 0644) == 0);
        REQUIRE(::chown("pid", 65534, 65534) == 0);
        const auto result = status();
        CHECK(result.status == 4);
        CHECK(contains(result.err, "it belongs to nobody, and process "));
        CHECK(scenario.run({"daemon-run", "-p", "pid", "--stop"}).status == 1);
        CHECK(other.is_running());
    }
}

TEST_CASE("an invalid pid file is refused") {
    Scenario scenario;
    REQUIRE(::mkdir("pid", 0755) == 0);
    CHECK(scenario.run({"daemon-run", "-p", "pid", "--status"}).status == 4);
    CHECK(scenario.run(words({"-p", "pid", "--settle", "0"}, sleeper)).status == 125);
    REQUIRE(::rmdir("pid") == 0);
    for (const std::string_view text : {"none", "0", "-1", "99999999999", "\x01\xff\n"}) {
        scenario.write_file("pid", text);
        const auto result = scenario.run({"daemon-run", "-p", "pid", "--stop"});
        CHECK(result.status == 1);
        CHECK(contains(result.err, "it does not begin with a process id\n"));
    }
    scenario.write_file("pid", "");
    CHECK(scenario.run({"daemon-run", "-p", "pid", "--status"}).status == 1);
    CHECK(scenario.run(words({"-p", "pid", "--settle", "0"}, sleeper)).status == 0);
}

TEST_CASE("a daemon is restarted, and is ended in stages") {
    Scenario scenario;
    const Words restart{"-p", "pid", "--restart", "--settle", "0"};
    const auto first = scenario.run(words(restart, sleeper));
    REQUIRE(first.status == 0);
    const Words deaf{"sh", "-c", "trap '' TERM; : >deaf; while :; do sleep 1; done"};
    const auto second = scenario.run(
        words({"-p", "pid", "--restart", "--settle", "0", "-c", scenario.path("")}, deaf));
    REQUIRE(second.status == 0);
    CHECK(first.out != second.out);
    CHECK(has_ended(pid_in(first.out)));
    REQUIRE(eventually([&] { return scenario.exists("deaf"); }));
    const auto outlived = scenario.run({"daemon-run", "-p", "pid", "--stop", "TERM:0"});
    CHECK(outlived.status == 1);
    CHECK(contains(outlived.err, ": it survived TERM:0"));
    const auto stop = scenario.run({"daemon-run", "-vp", "pid", "--stop", "TERM:0.1s,KILL"});
    CHECK(stop.status == 0);
    CHECK(contains(stop.err, ") ended by KILL after "));
}

TEST_CASE("a lock is held by the daemon, which is named") {
    Scenario scenario;
    const Words options{"-l", "lock", "--settle", "0"};
    const auto first = scenario.run(words(options, sleeper));
    REQUIRE(first.status == 0);
    const auto second = scenario.run(words({"-p", "pid", "-l", "lock", "--settle", "0"}, sleeper));
    CHECK(second.status == 1);
    CHECK_FALSE(scenario.exists("pid"));
    CHECK(contains(second.err, "lock is locked by "));
    CHECK(contains(second.err, " (sleep, "));
    const auto pid = fmt::format("{}", pid_in(first.out));
    REQUIRE(scenario.run({"signal-send", "-KILL", "-w", "30", pid}).status == 0);
    CHECK(scenario.run(words(options, sleeper)).status == 0);
}

TEST_CASE("a lock file that cannot be opened leaves no pid file") {
    Scenario scenario;
    const auto result = scenario.run(words({"-p", "pid", "-l", "missing/lock"}, sleeper));
    CHECK(result.status == 125);
    CHECK(contains(result.err, "missing/lock: No such file or directory\n"));
    CHECK_FALSE(scenario.exists("pid"));
}

TEST_CASE("a report that is lost says nothing about the daemon") {
    Scenario scenario;
    const auto on_full = [&scenario](const std::string& words) {
        const auto result = scenario.shell("daemon-run -p pid " + words + " >/dev/full");
        CHECK(result.err == "daemon-run: cannot write standard output: No space left on device\n");
        return result.status;
    };
    for (const std::string json : {"", "-J "}) {
        CHECK(on_full(json + "--settle 0 sleep 1000") == 1);
        CHECK(scenario.run({"daemon-run", "-p", "pid", "--status"}).status == 0);
        CHECK(on_full(json + "--status") == 4);
        const auto stop = scenario.shell("daemon-run -p pid --stop " + json + ">/dev/full");
        CHECK(stop.status == (json.empty() ? 0 : 1));
        CHECK_FALSE(scenario.exists("pid"));
    }
}

TEST_CASE("a report that is lost does not change the status of a daemon that failed") {
    Scenario scenario;
    const auto status_on_full = [&scenario](const std::string& words) {
        const auto result = scenario.shell("daemon-run -J -p pid " + words + " >/dev/full");
        CHECK(contains(result.err,
                       "daemon-run: cannot write standard output: No space left on device\n"));
        CHECK_FALSE(scenario.exists("pid"));
        return result.status;
    };
    CHECK(status_on_full("sh -c 'exit 7'") == 7);
    CHECK(status_on_full("sh -c 'kill $$'") == 128 + SIGTERM);
    CHECK(status_on_full("true") == 1);
    CHECK(status_on_full("--ready-fd 3 true") == 1);
    CHECK(status_on_full("--ready-fd 3 --ready-timeout 0.01 sleep 1000") == 124);
}

TEST_CASE("a signal during the start ends the daemon, so that no daemon runs without a report") {
    Scenario scenario;
    const Words daemon{"sh", "-c", "echo up $$; exec sleep 1000"};
    const std::vector<Words> all{{"--settle", "30"},
                                 {"--settle", "30", "--background"},
                                 {"--ready-fd", "9"},
                                 {"--settle", "30", "--rotate", "1M:1"},
                                 {"--settle", "30", "--respawn", "5/1m"}};
    int number = 0;
    for (const auto& options : all)
        for (const int signal : {SIGHUP, SIGINT, SIGTERM}) {
            CAPTURE(fmt::format("{}", fmt::join(options, " ")));
            CAPTURE(signal);
            const auto log = fmt::format("log{}", ++number);
            auto given = words({"-J", "-p", "pid", "-o", log}, options);
            given.insert(given.end(), daemon.begin(), daemon.end());
            auto start = scenario.start(given);
            REQUIRE(gets(scenario, log, "up"));
            start.kill(signal);
            const auto result = start.wait();
            CHECK(result.status == 128 + signal);
            CHECK_FALSE(scenario.exists("pid"));
            const auto pid = std::stoi(scenario.read_file(log).substr(3));
            CHECK(ends(pid));
            // A keeper may not have reported yet that the daemon is started.
            if (result.out.empty()) continue;
            CHECK(contains(result.out, R"("outcome":"interrupted","id":")"));
            CHECK(contains(result.out, fmt::format(R"("status":{},)", 128 + signal)));
            CHECK(result.err == fmt::format("daemon-run: interrupted by {}: ending sh, which was "
                                            "not up yet\n",
                                            signal_name(signal)));
        }
}

TEST_CASE("a start that ignores the hang-up goes on") {
    Scenario scenario;
    const auto result = scenario.shell(
        "mkfifo go; trap '' HUP; daemon-run -p pid -c . --ready-fd 9 -o log sh -c 'echo up; "
        "read -r line <go; echo >&9; exec sleep 1000' & "
        "until grep -q up log 2>/dev/null; do :; done; kill -HUP $!; echo >go; wait $!");
    CHECK(result.status == 0);
    CHECK(scenario.exists("pid"));
}

TEST_CASE("one file can be the pid file and the lock") {
    Scenario scenario;
    const Words options{"-p", "file", "-l", "file", "--settle", "0"};
    REQUIRE(scenario.run(words(options, sleeper)).status == 0);
    CHECK(scenario.run({"lock-run", "-n", "file", "true"}).status == 1);
    CHECK(scenario.run(words(options, sleeper)).status == 1);
    CHECK(scenario.run({"daemon-run", "-p", "file", "--stop"}).status == 0);
    CHECK(scenario.run(words(options, sleeper)).status == 0);
    CHECK(scenario.run({"daemon-run", "-p", "file", "--stop"}).status == 0);
    // Another process has locked the file.
    const Fd file = open_lock_file("file", LockKind::exclusive);
    REQUIRE(lock_until(file.get(), LockKind::exclusive, Deadline::never(), "file"));
    const auto locked = scenario.run(words(options, sleeper));
    CHECK(locked.status == 1);
    CHECK(locked.err.starts_with(fmt::format("daemon-run: cannot start sleep: {} is locked by {} (",
                                             scenario.path("file"), ::getpid())));
}

TEST_CASE("a keeper removes its pid file when that is also its lock") {
    Scenario scenario;
    const auto start = scenario.run(
        words({"-p", "file", "-l", "file", "--respawn", "1/1m", "--settle", "0"}, sleeper));
    REQUIRE(start.status == 0);
    const auto keeper = pid_in(start.out);
    REQUIRE(::kill(keeper, SIGTERM) == 0);
    REQUIRE(ends(keeper));
    CHECK_FALSE(scenario.exists("file"));
}

TEST_CASE("requested descriptors stay open") {
    Scenario scenario;
    const auto result =
        scenario.shell("exec 7>seven 8>eight; daemon-run --settle 30 --keep-fd 8 -- sh -c '"
                       "echo kept >&8; { echo kept >&7; } 2>/dev/null || exit 9'");
    CHECK(result.status == 9);
    CHECK(scenario.read_file("eight") == "kept\n");
    CHECK(scenario.read_file("seven").empty());
}

TEST_CASE("a job in the background keeps its session, directory and output") {
    Scenario scenario;
    auto job = scenario.start_shell(
        "daemon-run --background --settle 0 -- sh -c 'pwd; exec sleep 1000' & wait");
    const auto line = job.line();
    const auto other = job.line();
    const auto path = scenario.path("");
    CHECK((path.starts_with(line) || path.starts_with(other)));
    const auto stat = read_process_stat(pid_in(path.starts_with(line) ? other : line));
    REQUIRE(stat);
    CHECK(stat->session == ::getsid(0));
    CHECK(stat->group == stat->pid);
    // No advice for daemons: a job may be short.
    const auto brief = scenario.run({"daemon-run", "--background", "--settle", "30", "--", "true"});
    CHECK(brief.err.ends_with(": exit 0\n"));
    CHECK(brief.status == 0);
}

TEST_CASE("another user's daemon runs as that user") {
    if (::geteuid() != 0) return;
    Scenario scenario;
    REQUIRE(scenario
                .run(words({"-u", "nobody", "-o", "out", "--settle", "30"},
                           {"sh", "-c", "id -un; exit 7"}))
                .status == 7);
    CHECK(scenario.read_file("out") == "nobody\n");
}

TEST_CASE("logs rotate, and HUP opens them again") {
    Scenario scenario;
    const auto script = "trap 'echo again' HUP; n=1; while [ $n -le 9 ]; do "
                        "echo line $n; n=$((n + 1)); done; echo up >&3; sleep 1000 & "
                        "while :; do wait; done";
    REQUIRE(scenario
                .run(words({"-p", "pid", "-o", "out", "-e", "out", "--rotate", "21:2", "--ready-fd",
                            "3", "-c", scenario.path("")},
                           {"sh", "-c", script}))
                .status == 0);
    REQUIRE(gets(scenario, "out", "line 9\n"));
    CHECK(scenario.read_file("out") == "line 7\nline 8\nline 9\n");
    CHECK(scenario.read_file("out.1") == "line 4\nline 5\nline 6\n");
    CHECK(scenario.read_file("out.2") == "line 1\nline 2\nline 3\n");
    CHECK_FALSE(scenario.exists("out.3"));
    REQUIRE(::rename("out", "moved") == 0);
    REQUIRE(scenario.run({"daemon-run", "-p", "pid", "--reload"}).status == 0);
    CHECK(gets(scenario, "out", "again\n"));
    CHECK(scenario.run({"daemon-run", "-p", "pid", "--stop"}).status == 0);
    CHECK_FALSE(scenario.exists("pid"));
}

TEST_CASE("a log that may not grow any more ends neither the daemon nor its keeper") {
    Scenario scenario;
    const auto start = scenario.shell(
        "ulimit -f 1; exec daemon-run -p pid -o out --rotate 1M:1 -c . --ready-fd 3 -- sh -c "
        "'n=0; while [ $n -le 99 ]; do echo a line of this log, which gets full; n=$((n + 1)); "
        "done; echo up >&3; exec sleep 1000'");
    REQUIRE(start.status == 0);
    CHECK(eventually([&] { return scenario.read_file("out").size() == 512; }));
    CHECK(scenario.run({"daemon-run", "-p", "pid", "--stop"}).status == 0); // they still ran
}

TEST_CASE("a daemon is started again, with pauses, until it ends too often") {
    Scenario scenario;
    const auto result = scenario.run(words(
        {"-p", "pid", "-e", "log", "--respawn", "2/1m", "--ready-fd", "3", "-c", scenario.path("")},
        {"sh", "-c", "echo up >&3; echo started >&2; exit 4"}));
    REQUIRE(result.status == 0);
    CHECK(ends(pid_in(result.out)));
    CHECK(scenario.read_file("log") ==
          "started\n"
          "daemon-run: sh ended: exit 4\n"
          "daemon-run: starting sh again in 0.1s\n"
          "started\n"
          "daemon-run: sh ended: exit 4\n"
          "daemon-run: starting sh again in 0.2s\n"
          "started\n"
          "daemon-run: sh ended: exit 4\n"
          "daemon-run: sh ended too often, and is not started again\n");
    CHECK_FALSE(scenario.exists("pid"));
}

TEST_CASE("a daemon that ends immediately or is stopped is not started again") {
    Scenario scenario;
    const Words options{"-p", "pid", "--respawn", "9/1m", "--settle"};
    auto words_with = [&](const char* settle, const Words& command) {
        auto all = options;
        all.emplace_back(settle);
        return words(all, command);
    };
    CHECK(scenario.run(words_with("30", {"sh", "-c", "exit 4"})).status == 4);
    CHECK(scenario.run(words_with("0", {"no-such-command"})).status == 127);
    const auto result = scenario.run(words_with("0", sleeper));
    REQUIRE(result.status == 0);
    const pid_t keeper = pid_in(result.out);
    REQUIRE(eventually([&] { return !test::children_of(keeper).empty(); }));
    const pid_t first = test::children_of(keeper).front();
    REQUIRE(::kill(first, SIGKILL) == 0);
    REQUIRE(eventually([&] {
        const auto children = test::children_of(keeper);
        return !children.empty() && children.front() != first;
    }));
    const pid_t second = test::children_of(keeper).front();
    CHECK(scenario.run({"daemon-run", "-p", "pid", "--stop"}).status == 0);
    CHECK(has_ended(second));
}

TEST_CASE("if the keeper is killed, its daemon dies") {
    Scenario scenario;
    const auto result =
        scenario.run(words({"-o", "out", "--rotate", "1M:1", "--settle", "0"}, sleeper));
    REQUIRE(result.status == 0);
    const pid_t keeper = pid_in(result.out);
    REQUIRE(eventually([&] { return !test::children_of(keeper).empty(); }));
    const pid_t child = test::children_of(keeper).front();
    REQUIRE(::kill(keeper, SIGKILL) == 0);
    CHECK(ends(child));
}

TEST_CASE("an invalid command line is refused") {
    Scenario scenario;
    for (const Words& line : std::vector<Words>{{},
                                                {"--stop"},
                                                {"-p", "f", "--stop", "--status"},
                                                {"-p", "f", "--stop", "NONE:1s"},
                                                {"-p", "f", "--reload", "true"},
                                                {"--rotate", "1M:1", "true"},
                                                {"--rotate", "1M", "-o", "f", "true"},
                                                {"--respawn", "3", "true"},
                                                {"--background", "--respawn", "3/1m", "true"},
                                                {"--keep-fd", "77", "true"},
                                                {"--ready-fd", "1", "true"},
                                                {"-E", "=x", "true"},
                                                {"-u", "no-such-user", "true"}}) {
        CAPTURE(fmt::format("{}", fmt::join(line, " ")));
        CHECK(scenario.run(words(line, {})).status == 2);
    }
}

TEST_CASE("an option behind the stages is named as the mistake") {
    Scenario scenario;
    CHECK(contains(scenario.run({"daemon-run", "--stop", "TERM:5s,KILL", "-p", "pid"}).err,
                   "the other options come before STAGES"));
}

TEST_CASE("port 0 is no port on which a daemon could be ready") {
    Scenario scenario;
    CHECK(scenario.run({"daemon-run", "--ready-port", "0", "--", "true"}).err ==
          "daemon-run: --ready-port '0': expected a port from 1 to 65535 (see daemon-run "
          "--help)\n");
}

TEST_CASE("a pid file at the limit of a file is an error, and no death") {
    Scenario scenario;
    for (const std::string options : {"", "--respawn 1/1m "}) {
        const auto result = scenario.shell("ulimit -f 0; daemon-run " + options +
                                           "-p pid -- sleep 1000 2>&1 | cat");
        CHECK(result.out.find("File too large") != std::string::npos);
        CHECK_FALSE(scenario.exists("pid"));
    }
}
