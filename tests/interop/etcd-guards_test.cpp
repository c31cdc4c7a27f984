// Processes are killed and stopped, and leases are revoked, while sem-take --etcd guards a command.
// Two processes guard it: its parent, the front, and a keeper.
#include "harness/hidden_proc.h"
#include "harness/terminal_shell.h"
#include "harness/token_bench.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// The lease outlives the test, so the token gets free only when it is given.
const Words long_lease{"-j1", "--ttl", "10m"};
// Renewed in time, even by a busy machine.
const Words short_lease{"-j1", "--ttl", "5"};
// The command has half of it to end.
const Words long_grace{"-j1", "--ttl", "6", "--grace", "3"};

} // namespace

TEST_CASE("if the front is killed, its command dies and the token comes back immediately") {
    TokenBench bench;
    auto holder = bench.hold(long_lease, "@front");
    const auto command = command_of(holder.pid());
    holder.kill(SIGKILL);
    CHECK(bench.take({"-w", "30"}, "@front").status == 0);
    CHECK(ends(command));
}

TEST_CASE("a front that is killed after its command has ended leaves no token behind") {
    TokenBench bench;
    auto holder = bench.hold(long_lease, "@late");
    const auto command = command_of(holder.pid());
    holder.kill(SIGSTOP);
    holder.close_input();
    CHECK(eventually([&] { return has_ended(command); }));
    holder.kill(SIGKILL);
    CHECK(bench.take({"-w", "30"}, "@late").status == 0);
}

TEST_CASE("a keeper that is killed is replaced, and the command notices nothing") {
    TokenBench bench;
    auto holder = bench.hold(short_lease, "@keeper");
    for (int count = 0; count < 3; ++count) {
        replace_keeper(holder.pid());
    }
    CHECK(bench.outlasts("@keeper", "6"));
    holder.close_input();
    CHECK(holder.wait().status == 5);
    CHECK(bench.take({"-n"}, "@keeper").status == 0);
}

TEST_CASE("the keeper of a waiter is replaced, and the waiter keeps its place") {
    TokenBench bench;
    auto holder = bench.hold({"-j1"}, "@place");
    auto first =
        bench.scenario.start(bench.words({}, "@place", {"sh", "-c", "echo first >>order"}));
    REQUIRE(eventually([&] { return bench.queue_length("@place") == 2; }));
    auto second =
        bench.scenario.start(bench.words({}, "@place", {"sh", "-c", "echo second >>order"}));
    REQUIRE(eventually([&] { return bench.queue_length("@place") == 3; }));
    replace_keeper(first.pid());
    holder.close_input();
    CHECK(first.wait().status == 0);
    CHECK(second.wait().status == 0);
    CHECK(bench.scenario.read_file("order") == "first\nsecond\n");
}

TEST_CASE("when front and keeper are killed the command dies, and the lease runs out") {
    TokenBench bench;
    auto holder = bench.hold({"-j1", "--ttl", "4"}, "@both");
    const auto command = command_of(holder.pid());
    REQUIRE(::kill(keeper_of(holder.pid()), SIGSTOP) == 0);
    const auto keeper = keeper_of(holder.pid());
    holder.kill(SIGKILL);
    REQUIRE(::kill(keeper, SIGKILL) == 0);
    CHECK(ends(command));
    CHECK(bench.take({"-w", "30"}, "@both").status == 0);
}

TEST_CASE("when the keeper is stopped the front ends the command before the lease is over") {
    TokenBench bench;
    auto holder = bench.scenario.start(bench.words(
        long_grace, "@stopped",
        {"sh", "-c",
         "trap 'echo told to end; exit 0' TERM; echo in; while :; do read line; done"}));
    REQUIRE(holder.line() == "in");
    const auto keeper = keeper_of(holder.pid());
    REQUIRE(::kill(keeper, SIGSTOP) == 0);
    CHECK(holder.line() == "told to end");
    const auto ended = holder.wait();
    CHECK(ended.status == 124);
    CHECK(ended.err ==
          "sem-take: @stopped: the lease was not renewed in time: ending the command\n");
    (void)::kill(keeper, SIGKILL);
    CHECK(bench.take({"-w", "30"}, "@stopped").status == 0);
}

TEST_CASE("a command that does not listen to TERM is killed with all processes that it started") {
    TokenBench bench;
    auto holder = bench.scenario.start(bench.words(
        short_lease, "@deaf",
        {"sh", "-c", "trap '' TERM; setsid sh -c 'echo $$; exec tail -f /dev/null'; :"}));
    const auto grandchild = static_cast<pid_t>(std::stol(holder.line()));
    const auto keeper = keeper_of(holder.pid());
    REQUIRE(::kill(keeper, SIGSTOP) == 0);
    CHECK(holder.wait().status == 124);
    CHECK(ends(grandchild));
    (void)::kill(keeper, SIGKILL);
}

TEST_CASE("a front that is stopped loses nothing") {
    TokenBench bench;
    auto holder = bench.hold(short_lease, "@asleep");
    holder.kill(SIGSTOP);
    CHECK(bench.outlasts("@asleep", "6"));
    holder.kill(SIGCONT);
    holder.close_input();
    const auto ended = holder.wait();
    CHECK(ended.status == 5);
    CHECK(ended.err.empty());
}

TEST_CASE("a command that is stopped keeps its token") {
    TokenBench bench;
    auto holder = bench.hold(short_lease, "@still");
    const auto command = command_of(holder.pid());
    REQUIRE(::kill(command, SIGSTOP) == 0);
    CHECK(bench.outlasts("@still", "6"));
    REQUIRE(::kill(command, SIGCONT) == 0);
    holder.close_input();
    CHECK(holder.wait().status == 5);
}

TEST_CASE("Ctrl-Z stops the command, not its keeper: the token stays taken, and fg goes on") {
    TokenBench bench;
    TerminalShell shell;
    shell.type(
        fmt::format("sem-take --etcd {} -j1 --ttl 5 @job sh -c 'echo st\"\"arted; exec cat'\n",
                    bench.cluster.endpoints()));
    shell.stop_started_job();
    CHECK(bench.outlasts("@job", "6"));
    shell.continue_and_end_cat("exec cat");
    CHECK(bench.take({"-n"}, "@job").status == 0);
}

TEST_CASE(
    "a waiter that Ctrl-Z stops keeps its place, gets the token, and runs its command at fg") {
    TokenBench bench;
    auto holder = bench.hold({"-j1"}, "@job");
    TerminalShell shell;
    shell.type(fmt::format("sem-take --etcd {} --ttl 5 @job sh -c 'echo st\"\"arted; exec cat'\n",
                           bench.cluster.endpoints()));
    REQUIRE(eventually([&] { return bench.queue_length("@job") == 2; }));
    shell.type("\x1a");
    shell.wait_for_text("Stopped");
    shell.wait_for_text("ready> ");
    holder.close_input();
    CHECK(holder.wait().status == 5);
    CHECK(bench.outlasts("@job", "6"));
    shell.type("fg\n");
    shell.wait_for_text("exec cat");
    shell.wait_for_text("started");
    CHECK(bench.take({"-n", "-q"}, "@job").status == 1);
    shell.type("\x04");
    shell.wait_for_text("ready> ");
    shell.expect("echo status $?", "status 0");
    CHECK(bench.take({"-n"}, "@job").status == 0);
}

TEST_CASE("a command that was stopped with its guards past its lease is killed when they go on") {
    TokenBench bench;
    auto holder = bench.hold(short_lease, "@frozen");
    const auto keeper = keeper_of(holder.pid());
    const auto command = command_of(holder.pid());
    for (const auto pid : {command, holder.pid(), keeper})
        REQUIRE(::kill(pid, SIGSTOP) == 0);
    CHECK(bench.take({"-w", "30"}, "@frozen").status == 0);
    REQUIRE(::kill(holder.pid(), SIGCONT) == 0);
    REQUIRE(::kill(keeper, SIGCONT) == 0);
    CHECK(holder.wait().status == 124);
    CHECK(ends(command));
}

TEST_CASE("a lease that others revoke ends the command with all processes that it started") {
    TokenBench bench;
    auto holder = bench.scenario.start(
        bench.words(long_lease, "@revoked",
                    {"sh", "-c", "trap '' TERM; sh -c 'echo $$; exec tail -f /dev/null'; :"}));
    const auto grandchild = static_cast<pid_t>(std::stol(holder.line()));
    (void)bench.cluster.ctl({"lease", "revoke", bench.lease_of("@revoked")});
    const auto ended = holder.wait();
    CHECK(ended.status == 124);
    CHECK(ended.err == "sem-take: @revoked: the lease is over: the command is killed\n");
    CHECK(ends(grandchild));
    SUBCASE("even while the front is stopped") {
        auto other = bench.hold(long_lease, "@revoked");
        const auto command = command_of(other.pid());
        other.kill(SIGSTOP);
        (void)bench.cluster.ctl({"lease", "revoke", bench.lease_of("@revoked")});
        CHECK(ends(command));
        other.kill(SIGCONT);
        CHECK(other.wait().status == 124);
    }
}

TEST_CASE("a waiter whose lease is revoked queues again at the end, and says so") {
    TokenBench bench;
    auto holder = bench.hold({"-j1"}, "@again");
    const auto before = bench.lease_of("@again");
    const auto revoke_last = [&] {
        REQUIRE(eventually([&] { return bench.queue_length("@again") == 2; }));
        const auto keys = bench.cluster.ctl(
            {"get", "--prefix", "--keys-only", "--sort-by=CREATE", bench.queue_of("@again")});
        const auto last = keys.substr(keys.rfind('/') + 1, 16);
        (void)bench.cluster.ctl({"lease", "revoke", last});
    };
    SUBCASE("with a command") {
        auto waiter = bench.scenario.start(bench.words({}, "@again", bench.holding()));
        revoke_last();
        CHECK(contains(waiter.error_line(), "queued again at the end"));
        holder.close_input();
        CHECK(waiter.line() == "in");
    }
    SUBCASE("without a command") {
        auto waiter = bench.scenario.start(bench.words({}, "@again", {}));
        revoke_last();
        CHECK(contains(waiter.error_line(), "queued again at the end"));
        holder.close_input();
        CHECK(waiter.wait().status == 0);
    }
}

TEST_CASE("with --on-lost warn the command goes on, and the user is told that it is not alone") {
    TokenBench bench;
    auto holder = bench.hold({"-j1", "--ttl", "10m", "--on-lost", "warn"}, "@warn");
    (void)bench.cluster.ctl({"lease", "revoke", bench.lease_of("@warn")});
    CHECK(holder.error_line() ==
          "sem-take: @warn: the lease is over: the command is not alone any more");
    holder.close_input();
    CHECK(holder.wait().status == 5);
}

TEST_CASE("with --on-lost pause the command stops while nobody knows, and goes on afterwards") {
    TokenBench bench;
    auto holder = bench.hold({"-j1", "--ttl", "5", "--on-lost", "pause"}, "@pause");
    bench.cluster.stop(0);
    CHECK(contains(holder.error_line(), "the command is stopped until it is"));
    bench.cluster.resume(0);
    const auto line = holder.error_line();
    // The stopped server may or may not notice that the lease has expired.
    if (contains(line, "the lease lives")) {
        holder.close_input();
        CHECK(holder.wait().status == 5);
    } else {
        CHECK(contains(line, "the lease is over"));
        CHECK(holder.wait().status == 124);
    }
}

TEST_CASE("signals reach the command, and it decides") {
    TokenBench bench;
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) {
        auto holder = bench.scenario.start(bench.words(
            long_lease, "@signals",
            {"sh", "-c",
             fmt::format("trap 'exit 7' {}; echo in; while :; do read line; done", signal)}));
        REQUIRE(holder.line() == "in");
        holder.kill(signal);
        CHECK(holder.wait().status == 7);
    }
    CHECK(bench.queue_length("@signals") == 0);
}

TEST_CASE("the pid 1 of a container gives the token back before it ends") {
    TokenBench bench;
    if (bench.scenario.run({"unshare", "-pf", "--mount-proc", "true"}).status != 0) return;
    Words words{"unshare", "-pf", "--mount-proc"};
    const auto taking = bench.words(long_lease, "@container", {"sh", "-c", "exit 5"});
    words.insert(words.end(), taking.begin(), taking.end());
    CHECK(bench.scenario.run(words).status == 5);
    CHECK(bench.take({"-n"}, "@container").status == 0);
}

TEST_CASE("a command does not run where its guards could not find its processes") {
    TokenBench bench;
    if (!can_hide_proc(bench.scenario)) return;
    const auto result =
        bench.scenario.run(with_foreign_proc(bench.words(long_lease, "@blind", {"echo", "in"})));
    CHECK(result.status == 125);
    CHECK(result.out.empty());
    CHECK(result.err == "sem-take: cannot guard echo: /proc shows another PID namespace\n");
    CHECK(bench.queue_length("@blind") == 0);
}

TEST_CASE("the keeper keeps no pipe and no lock of ours busy") {
    TokenBench bench;
    const auto result = bench.scenario.shell(
        "sem-take --etcd $1 -j1 @quiet sh -c 'kill -9 $PPID' | cat; echo after",
        {bench.cluster.endpoints()});
    CHECK(contains(result.out, "after"));
}

TEST_CASE("a command of another user, which no guard may kill, keeps its token while it can") {
    TokenBench bench;
    // Root without the right to signal other users. The command changes its user, which clears the
    // death signal, as a set-user-ID program does.
    const Words guards{"setpriv", "--bounding-set=-kill"};
    const Words other_user{"setpriv", "--reuid=65534", "cat"};
    Words trial = guards;
    trial.insert(trial.end(), {"setpriv", "--reuid=65534", "true"});
    if (bench.scenario.run(trial).status != 0) {
        MESSAGE("this needs root");
        return;
    }
    Words words = guards;
    const auto taking = bench.words(long_lease, "@rights", other_user);
    words.insert(words.end(), taking.begin(), taking.end());
    auto holder = bench.scenario.start(words);
    holder.send("in\n");
    REQUIRE(holder.line() == "in");
    const auto command = command_of(holder.pid());
    SUBCASE("when the front is killed") {
        holder.kill(SIGKILL);
        CHECK(bench.outlasts("@rights", "1"));
        CHECK_FALSE(has_ended(command));
        holder.close_input();
        CHECK(bench.take({"-w", "30"}, "@rights").status == 0);
    }
    SUBCASE("when the lease is revoked: the user is told that it runs on") {
        (void)bench.cluster.ctl({"lease", "revoke", bench.lease_of("@rights")});
        CHECK(holder.error_line() == "sem-take: @rights: the lease is over: the command is killed");
        CHECK(holder.error_line() ==
              fmt::format("sem-take: @rights: no permission to signal process {}: it runs on",
                          command));
        holder.close_input();
        CHECK(holder.wait().status == 124);
    }
}
