// sem-take --etcd against a real etcd: statuses, the queue, and what is killed, stopped and revoked
// while a command runs.
#include "harness/token_bench.h"

#include <algorithm>
#include <array>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// With a lease so long that only giving can free its token within a test's limit.
const Words long_lease{"-j1", "--ttl", "10m"};
const Words short_lease{"-j1", "--ttl", "2"};

} // namespace

TEST_CASE("the status is the command's own, and the token comes back") {
    TokenBench bench;
    const auto status = [&](const Words& command) {
        const int result = bench.take({"-n", "-j1", "--ttl", "10m"}, "@status", command).status;
        CHECK(bench.queue_length("@status") == 0);
        return result;
    };
    CHECK(status({"true"}) == 0);
    CHECK(status({"--", "sh", "-c", "exit 42"}) == 42);
    CHECK(status({"sh", "-c", "kill -TERM $$"}) == 128 + SIGTERM);
    CHECK(status({"sh", "-c", "kill -KILL $$"}) == 128 + SIGKILL);
    bench.scenario.write_file("text", "");
    CHECK(status({"./text"}) == 126);
    CHECK(status({"./none"}) == 127);
    bench.scenario.write_file("garbage", "\x7f"
                                         "ELF");
    REQUIRE(::chmod("garbage", S_IRWXU) == 0);
    CHECK(status({"./garbage"}) == 126);
    const auto fed = bench.scenario.run(
        bench.words({}, "@status", {"sh", "-c", "cat; echo $# \"$@\"", "sh", "-n", "a b"}),
        "hello\n");
    CHECK(fed.out == "hello\n2 -n a b\n");
    for (int count = 0; count < 5; ++count)
        CHECK(status({"true"}) == 0);
}

TEST_CASE("the command learns its key and its fence, which rises from one to the next") {
    TokenBench bench;
    const Words tell{"sh", "-c",
                     "echo $IPCBOX_SEM_KEY $IPCBOX_SEM_FENCE $ETCD_LOCK_KEY $ETCD_LOCK_REV"};
    std::uint64_t last = 0;
    for (int count = 0; count < 3; ++count) {
        const auto told = bench.scenario.shell(
            "ETCD_LOCK_KEY=outer sem-take --etcd $1 -j1 @fence sh -c "
            "'echo $IPCBOX_SEM_FENCE $ETCD_LOCK_REV $IPCBOX_SEM_KEY $ETCD_LOCK_KEY'",
            {bench.cluster.endpoints()});
        std::uint64_t fence = 0;
        std::uint64_t same = 0;
        std::array<char, 200> key{};
        std::array<char, 200> other{};
        REQUIRE(std::sscanf(told.out.c_str(), "%lu %lu %199s %199s", &fence, &same, key.data(),
                            other.data()) == 4);
        CHECK(fence > last);
        CHECK(same == fence);
        CHECK(std::string_view{key.data()}.starts_with("ipcbox/sem/fence/queue/"));
        CHECK(std::string_view{key.data()} == other.data());
        last = fence;
    }
}

TEST_CASE("as many as there are slots are inside, and the next one is told who they are") {
    TokenBench bench;
    auto one = bench.hold({"-j2"}, "@two");
    auto other = bench.hold({"-j2"}, "@two");
    const auto refused = bench.take({"-n"}, "@two");
    CHECK(refused.status == 1);
    CHECK(refused.err.starts_with("sem-take: @two is taken by "));
    CHECK(contains(refused.err, fmt::format(":{} (sh, ", one.pid())));
    CHECK(contains(refused.err, fmt::format(":{} (sh, ", other.pid())));
    CHECK(bench.take({"-n", "-q", "-E", "75"}, "@two").status == 75);
    CHECK(bench.take({"-w", "10ms", "-E", "75"}, "@two").status == 75);
    CHECK(eventually([&] { return bench.queue_length("@two") == 2; }));
    auto waiter = bench.scenario.start(bench.words({"-v"}, "@two", bench.holding()));
    const auto line = waiter.error_line();
    CHECK(line.starts_with("sem-take: waiting for "));
    CHECK(contains(line, fmt::format(":{} (sh, ", one.pid())));
    one.close_input();
    CHECK(waiter.line() == "in");
    CHECK(one.wait().status == 5);
}

TEST_CASE("waiters enter in the order in which they came") {
    TokenBench bench;
    auto holder = bench.hold({"-j1"}, "@order");
    std::vector<Process> waiters;
    for (int number = 0; number < 4; ++number) {
        waiters.push_back(bench.scenario.start(
            bench.words({}, "@order", {"sh", "-c", fmt::format("echo {} >>order", number)})));
        REQUIRE(eventually([&] { return bench.queue_length("@order") == number + 2; }));
    }
    holder.close_input();
    for (auto& waiter : waiters)
        CHECK(waiter.wait().status == 0);
    CHECK(bench.scenario.read_file("order") == "0\n1\n2\n3\n");
}

TEST_CASE("a set has one number of slots for all, and a wrong one is named and queues nothing") {
    TokenBench bench;
    CHECK(bench.take({"-j1"}, "@slots").status == 0);
    const auto wrong = bench.take({"-j2"}, "@slots");
    CHECK(wrong.status == 125);
    CHECK(wrong.err == "sem-take: cannot take from @slots: @slots has 1 slot, not 2\n");
    CHECK(bench.queue_length("@slots") == 0);
    const auto none = bench.take({}, "@nothing");
    CHECK(none.status == 125);
    CHECK(none.err == "sem-take: cannot take from @nothing: there is no set @nothing (make it with "
                      "-j SLOTS)\n");
    (void)bench.cluster.ctl({"put", "ipcbox/sem/odd/slots", "many"});
    CHECK(contains(bench.take({}, "@odd").err, "@odd has no number of slots"));
}

TEST_CASE("names of any bytes are names") {
    TokenBench bench;
    for (const auto& name : {std::string{"@a/b"}, std::string{"@a\nb"},
                             "@" + std::string(4096, 'x'), std::string{"1234"}}) {
        auto holder = bench.hold({"-j1"}, name);
        CHECK(bench.take({"-nq"}, name).status == 1);
    }
    auto holder = bench.hold({"-j1"}, "0x4d3");
    CHECK(bench.take({"-nq"}, "1235").status == 1);
    CHECK(bench.take({"-nq", "-j1"}, "@1235").status == 0);
}

TEST_CASE("a waiter that is told to end leaves the queue, and dies of that signal") {
    TokenBench bench;
    auto holder = bench.hold(long_lease, "@leave");
    for (const int signal : {SIGTERM, SIGINT, SIGHUP}) {
        auto waiter = bench.scenario.start(bench.words({"--ttl", "10m"}, "@leave", {"true"}));
        REQUIRE(eventually([&] { return bench.queue_length("@leave") == 2; }));
        waiter.kill(signal);
        CHECK(waiter.wait().status == 128 + signal);
        CHECK(eventually([&] { return bench.queue_length("@leave") == 1; }));
    }
}

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
        const auto keeper = keeper_of(holder.pid());
        REQUIRE(keeper != 0);
        REQUIRE(::kill(keeper, SIGKILL) == 0);
        REQUIRE(eventually([&] {
            const auto next = keeper_of(holder.pid());
            return next != 0 && next != keeper;
        }));
    }
    CHECK(bench.outlasts("@keeper", "3"));
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
    REQUIRE(::kill(keeper_of(first.pid()), SIGKILL) == 0);
    REQUIRE(eventually([&] { return keeper_of(first.pid()) != 0; }));
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
        {"-j1", "--ttl", "2"}, "@stopped",
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
        {"-j1", "--ttl", "2"}, "@deaf",
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
    CHECK(bench.outlasts("@asleep", "3"));
    holder.kill(SIGCONT);
    holder.close_input();
    const auto ended = holder.wait();
    CHECK(ended.status == 5);
    CHECK(ended.err.empty());
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
    auto holder = bench.hold({"-j1", "--ttl", "2", "--on-lost", "pause"}, "@pause");
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

TEST_CASE("the keeper keeps no pipe and no lock of ours busy") {
    TokenBench bench;
    const auto result = bench.scenario.shell(
        "sem-take --etcd $1 -j1 @quiet sh -c 'kill -9 $PPID' | cat; echo after",
        {bench.cluster.endpoints()});
    CHECK(contains(result.out, "after"));
}

TEST_CASE("without an etcd there is an error in time, and it names every member") {
    Scenario scenario;
    ReservedPort one;
    ReservedPort other;
    const auto endpoints =
        fmt::format("http://127.0.0.1:{},http://127.0.0.1:{}", one.number(), other.number());
    const auto late =
        scenario.run({"sem-take", "--etcd", endpoints, "-j1", "-w", "0.3", "@x", "true"});
    CHECK(late.status == 1);
    CHECK(late.err.starts_with("sem-take: cannot take from @x: no answer in time: "));
    CHECK(contains(late.err, fmt::format("127.0.0.1:{}: Connection refused", one.number())));
    CHECK(contains(late.err, fmt::format("127.0.0.1:{}: Connection refused", other.number())));
    const auto lent = scenario.run({"sem-take", "--etcd", endpoints, "-j1", "-w", "0.3", "@x"});
    CHECK(lent.status == 1);
    CHECK(lent.err == late.err);
}

TEST_CASE("an invalid line is a usage error") {
    Scenario scenario;
    scenario.write_file("lock", "");
    const Words start{"sem-take", "--etcd", "http://127.0.0.1:1"};
    const auto status = [&](const Words& rest) {
        Words words = start;
        words.insert(words.end(), rest.begin(), rest.end());
        const auto result = scenario.run(words);
        CAPTURE(result.err);
        CHECK(result.err.starts_with("sem-take: "));
        return result.status;
    };
    CHECK(status({"-j1", "./lock", "true"}) == 2);
    CHECK(status({"-j1", "-s", "@x", "true"}) == 2);
    CHECK(status({"--hold-for", "PPID", "-j1", "@x"}) == 2);
    CHECK(status({"--ttl", "1", "@x", "true"}) == 2);
    CHECK(status({"--ttl", "2.5", "@x", "true"}) == 2);
    CHECK(status({"--ttl", "4", "--grace", "3", "@x", "true"}) == 2);
    CHECK(status({"--on-lost", "panic", "@x", "true"}) == 2);
    CHECK(scenario.run({"sem-take", "--etcd", "ftp://x", "@x", "true"}).status == 2);
    CHECK(scenario.run({"sem-take", "--etcd", "", "@x", "true"}).status == 2);
}
