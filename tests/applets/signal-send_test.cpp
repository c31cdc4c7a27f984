#include "harness/hidden_proc.h"
#include "harness/scenario.h"
#include "harness/time_limit.h"

#include "core/child.h"
#include "process/tree.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

std::string number(pid_t pid) {
    return fmt::format("{}", pid);
}

// A shell that first runs SCRIPT and then waits.
Process start_job(Scenario& scenario, const std::string& script = ":") {
    auto job = scenario.start_shell(script + "; echo up; while :; do read line; done");
    REQUIRE(job.line() == "up");
    return job;
}

constexpr const char* nobody = "4194304";

} // namespace

TEST_CASE("a process gets TERM, or the signal that is named, in any way") {
    Scenario scenario;
    for (const auto& [words, signal] :
         {std::pair{Words{}, SIGTERM}, std::pair{Words{"-s", "HUP"}, SIGHUP},
          std::pair{Words{"-HUP"}, SIGHUP}, std::pair{Words{"-9"}, SIGKILL},
          std::pair{Words{"-SIGUSR1"}, SIGUSR1}, std::pair{Words{"--signal=usr2"}, SIGUSR2}}) {
        auto job = start_job(scenario);
        Words all{"signal-send"};
        all.insert(all.end(), words.begin(), words.end());
        all.push_back(number(job.pid()));
        const auto result = scenario.run(all);
        CHECK(result.status == 0);
        CHECK(result.out.empty());
        CHECK(result.err.empty());
        CHECK(job.wait().status == 128 + signal);
    }
}

TEST_CASE("each target that fails is one line, and the others get the signal") {
    Scenario scenario;
    auto job = start_job(scenario);
    const auto result =
        scenario.run({"signal-send", nobody, number(job.pid()), number(job.pid()) + ":1"});
    CHECK(result.status == 1);
    CHECK(result.err == fmt::format("signal-send: cannot signal 4194304: no such process\n"
                                    "signal-send: cannot signal {}:1: no such process\n",
                                    job.pid()));
    CHECK(job.wait().status == 128 + SIGTERM);
}

TEST_CASE("process 1, numbers that kill takes for groups, and words are refused") {
    Scenario scenario;
    CHECK(scenario.run({"signal-send", "1"}).err ==
          "signal-send: cannot signal 1: it is process 1, which needs --force\n");
    CHECK(scenario.run({"signal-send", "0"}).status == 2);
    CHECK(scenario.run({"signal-send", "--", "-1"}).status == 2);
    CHECK(scenario.run({"signal-send", "x"}).status == 2);
    CHECK(scenario.run({"signal-send"}).status == 2);
    CHECK(scenario.run({"signal-send", "-s", "TREM", "1"}).err ==
          "signal-send: --signal 'TREM': no such signal; did you mean TERM? (see signal-send "
          "--help)\n");
}

TEST_CASE("words of kill that have another place are refused with that place") {
    Scenario scenario;
    CHECK(scenario.run({"signal-send", "-0", "1"}).err ==
          "signal-send: --signal '0': to test whether a process exists, use process-alive "
          "(see signal-send --help)\n");
    CHECK(scenario.run({"signal-send", "-9", "--", "-77"}).err ==
          "signal-send: PID '-77': for a process group, use --group 77 (see signal-send --help)\n");
}

TEST_CASE("a group, a session and a program select processes") {
    Scenario scenario;
    const auto words = [](Words more) {
        Words all{"signal-send", "-v"};
        all.insert(all.end(), more.begin(), more.end());
        return all;
    };
    for (const std::string option : {"--group", "--session"}) {
        auto leader = scenario.start({"setsid", "sh", "-c", "echo up; read line"});
        REQUIRE(leader.line() == "up");
        CHECK(scenario.run(words({option, number(leader.pid())})).status == 0);
        CHECK(leader.wait().status == 128 + SIGTERM);
    }
    // This test can run several times at once, with several binaries.
    const auto name = fmt::format("unique-{}", ::getpid());
    REQUIRE(scenario.shell("cp /bin/sleep $1", {name}).status == 0);
    for (const auto& option : {Words{"--name", name}, Words{"--exe", "./" + name}}) {
        auto job = scenario.start({"./" + name, "1000"});
        REQUIRE(eventually([&] {
            auto dry = words(option);
            dry.emplace_back("--dry-run");
            return scenario.run(dry).out.starts_with(number(job.pid()) + ":");
        }));
        CHECK(scenario.run(words(option)).status == 0);
        CHECK(job.wait().status == 128 + SIGTERM);
        const auto none = scenario.run(words(option));
        CHECK(none.status == 1);
        CHECK(none.err == "signal-send: no process is selected\n");
    }
}

TEST_CASE("a script signals its group without itself") {
    Scenario scenario;
    auto script = scenario.start(
        {"setsid", "sh", "-c",
         "sleep 1000 & signal-send -s TERM --group 0 --except-self; wait $!; echo ended $?"});
    CHECK(script.line() == "ended 143");
    CHECK(script.wait().status == 0);
}

TEST_CASE("a name that no process can have is refused") {
    Scenario scenario;
    CHECK(scenario.run({"signal-send", "--name", "no-process-here"}).status == 1);
    const auto result = scenario.run({"signal-send", "--name", "no-process-there"});
    CHECK(result.status == 2);
    CHECK(result.err ==
          "signal-send: --name 'no-process-there': expected a name as ps shows it, of "
          "at most 15 bytes; for a longer one, use --exe PATH (see signal-send "
          "--help)\n");
    CHECK(scenario.run({"signal-send", "--name", ""}).status == 2);
}

TEST_CASE("a pid file is used only if it names the right process") {
    Scenario scenario;
    auto job = start_job(scenario);
    scenario.write_file("pid", number(job.pid()) + "\n");
    const auto wrong =
        scenario.run({"signal-send", "--pidfile", "pid", "--match-exe", "/bin/sleep"});
    CHECK(wrong.status == 1);
    CHECK(wrong.err ==
          fmt::format("signal-send: cannot signal {}: it does not run /bin/sleep\n", job.pid()));
    CHECK(job.is_running());
    CHECK(scenario.run({"signal-send", "--pidfile", "pid", "--match-exe", "/bin/sh"}).status == 0);
    CHECK(job.wait().status == 128 + SIGTERM);
    CHECK(scenario.run({"signal-send", "--pidfile", "none"}).err ==
          "signal-send: cannot open none: No such file or directory\n");
    scenario.write_file("empty", "");
    CHECK(scenario.run({"signal-send", "--pidfile", "empty"}).err ==
          "signal-send: cannot use empty: it contains no process id\n");
}

TEST_CASE("a tree gets the signal to its last daemon") {
    Scenario scenario;
    auto root = scenario.start_shell("setsid sh -c 'sleep 1000 & echo up; wait' & wait");
    REQUIRE(root.line() == "up");
    const auto result = scenario.run({"signal-send", "-v", "-KILL", "--tree", number(root.pid())});
    CHECK(result.status == 0);
    CHECK(result.err == "signal-send: sent KILL to 3 processes\n");
    CHECK(root.wait().status == 137);
}

TEST_CASE("stages tell which signal ended each process") {
    Scenario scenario;
    pid_t polite_pid = 0;
    const auto told = with_time_limit(
        [&](const std::string& limit) {
            auto polite = start_job(scenario);
            auto stubborn = start_job(scenario, "trap '' TERM");
            const auto result =
                scenario.run({"signal-send", "--escalate", "TERM:" + limit + ",KILL",
                              number(polite.pid()), number(stubborn.pid())});
            CHECK(result.status == 0);
            CHECK(contains(result.out,
                           fmt::format("\n{} (sh) ended by KILL after ", stubborn.pid())));
            polite_pid = polite.pid();
            return result.out;
        },
        [](const std::string& out) { return contains(out, " ended by TERM after "); });
    CHECK(told.starts_with(fmt::format("{} (sh) ended by TERM after ", polite_pid)));
    auto immortal = start_job(scenario, "trap '' TERM");
    const auto outlived =
        scenario.run({"signal-send", "--escalate", "TERM:10ms", number(immortal.pid())});
    CHECK(outlived.status == 1);
    CHECK(outlived.err == fmt::format("signal-send: {} (sh) survived TERM:0.0s\n", immortal.pid()));
}

TEST_CASE("a wait ends with the processes, or when time is up") {
    Scenario scenario;
    auto job = start_job(scenario);
    CHECK(scenario.run({"signal-send", "-w", "30", number(job.pid())}).status == 0);
    auto stubborn = start_job(scenario, "trap '' TERM");
    const auto late = scenario.run({"signal-send", "-w", "10ms", number(stubborn.pid())});
    CHECK(late.status == 124);
    CHECK(late.err ==
          fmt::format("signal-send: timed out: {} (sh) is still running\n", stubborn.pid()));
}

TEST_CASE("a number is sent along") {
    Scenario scenario;
    auto job = scenario.start(
        {"perl", "-MPOSIX", "-e",
         "sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGUSR1)); $| = 1; "
         "sigaction(SIGUSR1, POSIX::SigAction->new(sub { print \"$_[1]{code}\\n\" }, "
         "POSIX::SigSet->new, SA_SIGINFO)); print \"up\\n\"; "
         "sigsuspend(POSIX::SigSet->new)"});
    REQUIRE(job.line() == "up");
    CHECK(scenario.run({"signal-send", "-USR1", "--queue", "7", number(job.pid())}).status == 0);
    CHECK(job.line() == "-1"); // SI_QUEUE
}

TEST_CASE("a dry run and JSON tell which processes are meant") {
    Scenario scenario;
    auto job = start_job(scenario);
    const auto dry = scenario.run({"signal-send", "--dry-run", number(job.pid())});
    CHECK(dry.out.starts_with(number(job.pid()) + ":"));
    CHECK(dry.out.find(fmt::format(" {} (sh, ", job.pid())) != std::string::npos);
    CHECK(job.is_running());
    CHECK(scenario.run({"signal-send", "-J", number(job.pid())}).out ==
          fmt::format("{{\"v\":1,\"pid\":{},\"signal\":\"TERM\",\"sent\":true}}\n", job.pid()));
}

TEST_CASE("a report that is lost is reported as such, and keeps no signal back") {
    Scenario scenario;
    constexpr auto line = "signal-send: cannot write standard output: No space left on device\n";
    for (const char* const options : {"-J -TERM", "--escalate TERM:9s", "-J --escalate TERM:9s"}) {
        auto first = start_job(scenario);
        auto second = start_job(scenario);
        const auto result = scenario.shell(fmt::format("signal-send {} $1 $2 >/dev/full", options),
                                           {number(first.pid()), number(second.pid())});
        CHECK(result.status == 1);
        CHECK(result.err == line);
        CHECK(first.wait().status == 128 + SIGTERM);
        CHECK(second.wait().status == 128 + SIGTERM);
    }
}

TEST_CASE("a tree that forks at full speed does not outrun its killer") {
    Scenario scenario;
    // At most 127 processes at a time. Those of the last generation end at once, and are replaced.
    scenario.write_file("fork",
                        "#!/bin/sh\n[ $1 -eq 0 ] && exit\n"
                        "while :; do ./fork $(($1 - 1)) & ./fork $(($1 - 1)) & wait; done\n");
    REQUIRE(scenario.shell("chmod +x fork").status == 0);
    for (int round = 0; round < 5; ++round) {
        auto root = scenario.start({"./fork", "6"});
        REQUIRE(eventually([&] { return process::descendants_of(root.pid()).size() > 60; }));
        const auto pid = fmt::format("{}", root.pid());
        CHECK(scenario.run({"signal-send", "-KILL", "--tree", pid}).status == 0);
        CHECK(root.wait().status == 128 + SIGKILL);
        // If a process had escaped, it would be our child now.
        CHECK(eventually([] {
            while (reap_child())
                ;
            return !has_children();
        }));
    }
}

TEST_CASE("the value of an option is not taken for a signal") {
    Scenario scenario;
    auto target = scenario.start({"sh", "-c", "echo up; exec sleep 1000"});
    REQUIRE(target.line() == "up");
    const auto pid = fmt::format("{}", target.pid());
    CHECK(scenario.run({"signal-send", "--queue", "-1", "-s", "USR1", pid}).status == 0);
    CHECK(target.wait().status == 128 + SIGUSR1);
}

TEST_CASE("a user without a name can be selected by number") {
    Scenario scenario;
    const auto result = scenario.run({"signal-send", "--user", "1234567", "--dry-run"});
    CHECK(result.err == "signal-send: no process is selected\n");
    CHECK(result.status == 1);
}

TEST_CASE("a tree that cannot be seen is an error, and nothing is sent") {
    Scenario scenario;
    if (!can_hide_proc(scenario)) return;
    CHECK(scenario.run(without_proc("signal-send --tree $$")).err ==
          "signal-send: cannot find the descendants: there is no /proc\n");
    CHECK(scenario.run(without_proc("signal-send --name sh")).err ==
          "signal-send: cannot find the processes: there is no /proc\n");
    const auto elsewhere =
        scenario.run(with_foreign_proc({"sh", "-c", "signal-send --name sh; exit 0"}));
    CHECK(elsewhere.err ==
          "signal-send: cannot find the processes: /proc shows another PID namespace\n");
}
