// sem-take --etcd --hold-for keeps a token of a cluster until another process ends.
#include "harness/peer.h"
#include "harness/token_bench.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox::test;

namespace {

// The lease outlives the test, so the token gets free only when it is given.
const Words long_lease{"-j1", "--ttl", "10m"};

Words holding_for(pid_t owner, Words options) {
    options.insert(options.end(), {"--hold-for", std::to_string(owner)});
    return options;
}

// The process that keeps the token, which the entry names.
pid_t holder_of(const TokenBench& bench, const std::string& name) {
    const auto entry =
        bench.cluster.ctl({"get", "--prefix", "--print-value-only", TokenBench::queue_of(name)});
    const std::string member = R"("keeper":)";
    const auto at = entry.find(member);
    REQUIRE(at != std::string::npos);
    return static_cast<pid_t>(std::stol(entry.substr(at + member.size())));
}

} // namespace

TEST_CASE("the token stays taken until the process ends") {
    TokenBench bench;
    auto owner = bench.scenario.start({"cat"});
    const auto taken = bench.take(holding_for(owner.pid(), long_lease), "@hold", {});
    CHECK(taken.status == 0);
    CHECK(taken.err.empty());
    const auto refused = bench.take({"-n"}, "@hold");
    CHECK(refused.status == 1);
    CHECK(contains(refused.err, fmt::format(":{} (cat, ", owner.pid())));
    CHECK(contains(bench.scenario.run({"ipc-list", "--etcd", bench.cluster.endpoints()}).out,
                   "1 of 1 taken  held by "));
    owner.close_input();
    CHECK(owner.wait().status == 0);
    CHECK(bench.take({"-w", "30"}, "@hold").status == 0);
}

TEST_CASE("nothing but the token is kept: no pipe, no lock and no place in the session") {
    TokenBench bench;
    const auto result =
        bench.scenario.shell("exec 9>lock; flock 9; "
                             "text=$(sem-take --etcd $1 -J -j1 --hold-for $$ @quiet 2>&1) || exit; "
                             "exec 9>&-; flock -n lock true && echo \"$text\"",
                             {bench.cluster.endpoints()});
    CHECK(result.status == 0);
    CHECK(result.out.starts_with(R"({"v":1,"key":"@quiet","taken":true,"fence":)"));
    CHECK(contains(result.out, R"(,"place":"ipcbox/sem/quiet/queue/)"));
}

TEST_CASE("sem-give of the process or of a child of it gives the token back, and no other does") {
    TokenBench bench;
    auto script = bench.scenario.start_shell(
        "sem-take --etcd $1 -j1 --ttl 10m --hold-for $$ @script || exit; echo in; read line; "
        "sem-give --etcd $1 @script && sem-take --etcd $1 -n @script && echo again; read line",
        {bench.cluster.endpoints()});
    REQUIRE(script.line() == "in");
    const auto refused =
        bench.scenario.run({"sem-give", "--etcd", bench.cluster.endpoints(), "@script"});
    CHECK(refused.status == 1);
    CHECK(contains(refused.err, " has it until it ends"));
    script.send("\n");
    CHECK(script.line() == "again");
    script.close_input();
    (void)script.wait();
    CHECK(bench.scenario.run({"sem-give", "--etcd", bench.cluster.endpoints(), "@script"}).status ==
          0);
}

TEST_CASE("a token that is not free is waited for, refused and reported as without --hold-for") {
    TokenBench bench;
    auto owner = bench.scenario.start({"cat"});
    auto holder = bench.hold(long_lease, "@wait");
    const auto refused = bench.take(holding_for(owner.pid(), {"-n", "-J", "-E", "9"}), "@wait", {});
    CHECK(refused.status == 9);
    CHECK(refused.out == "{\"v\":1,\"key\":\"@wait\",\"taken\":false}\n");
    CHECK(refused.err.starts_with("sem-take: @wait is taken by "));
    auto waiter = bench.scenario.start(bench.words(holding_for(owner.pid(), {"-v"}), "@wait", {}));
    CHECK(waiter.error_line().starts_with("sem-take: waiting for "));
    REQUIRE(eventually([&] { return bench.queue_length("@wait") == 2; }));
    SUBCASE("the next one is the waiter") {
        holder.close_input();
        CHECK(waiter.wait().status == 0);
        CHECK(bench.take({"-nq"}, "@wait").status == 1);
    }
    SUBCASE("a waiter that is told to end leaves the queue") {
        waiter.kill(SIGTERM);
        CHECK(waiter.wait().status == 128 + SIGTERM);
        CHECK(eventually([&] { return bench.queue_length("@wait") == 1; }));
    }
    SUBCASE("what cannot work is one line") {
        const auto none = bench.take(holding_for(owner.pid(), {"-J"}), "@none", {});
        CHECK(none.status == 1);
        CHECK(none.out.empty());
        CHECK(none.err ==
              "sem-take: cannot take from @none: there is no set @none (make it with -j "
              "SLOTS)\n");
        const auto nobody = bench.take(holding_for(4194304, {"-j1"}), "@x", {});
        CHECK(nobody.status == 1);
        CHECK(nobody.err == "sem-take: cannot hold for 4194304: no such process\n");
        CHECK(bench.take(holding_for(owner.pid(), {"--on-lost", "pause"}), "@x", {}).status == 2);
    }
}

TEST_CASE("a token is given back when sem-take cannot report that it is taken") {
    TokenBench bench;
    const auto failed = bench.scenario.shell(
        "sem-take --etcd $1 -J -j1 --ttl 10m --hold-for $$ @unsaid >/dev/full; "
        "echo $?; sem-take --etcd $1 -n @unsaid",
        {bench.cluster.endpoints()});
    CHECK(failed.status == 0);
    CHECK(failed.out == "1\n");
}

TEST_CASE("a lease that is lost ends the process and all that it started") {
    TokenBench bench;
    auto owner = bench.scenario.start_shell(
        "trap 'echo told to end' TERM; tail -f /dev/null & echo $!; wait; wait");
    const auto child = static_cast<pid_t>(std::stol(owner.line()));
    SUBCASE("also when nothing waits for the process at that moment") {
        CHECK(bench.take(holding_for(owner.pid(), long_lease), "@lost", {}).status == 0);
        const auto holder = holder_of(bench, "@lost");
        const auto lease = bench.lease_of("@lost");
        REQUIRE(::kill(holder, SIGSTOP) == 0);
        REQUIRE(::kill(command_of(holder), SIGKILL) == 0);
        (void)bench.cluster.ctl({"lease", "revoke", lease});
        REQUIRE(::kill(holder, SIGCONT) == 0);
        CHECK(owner.wait().status == 128 + SIGKILL);
    }
    SUBCASE("at once when it was revoked") {
        CHECK(bench.take(holding_for(owner.pid(), long_lease), "@lost", {}).status == 0);
        (void)bench.cluster.ctl({"lease", "revoke", bench.lease_of("@lost")});
        CHECK(owner.wait().status == 128 + SIGKILL);
    }
    SUBCASE("with TERM first, before it is over, when its keeper is stopped") {
        const Words long_grace{"-j1", "--ttl", "6", "--grace", "3"};
        CHECK(bench.take(holding_for(owner.pid(), long_grace), "@lost", {}).status == 0);
        const auto keeper = keeper_of(holder_of(bench, "@lost"));
        REQUIRE(::kill(keeper, SIGSTOP) == 0);
        CHECK(owner.line() == "told to end");
        (void)owner.wait();
        (void)::kill(keeper, SIGKILL);
        CHECK(bench.take({"-w", "30"}, "@lost").status == 0);
    }
    CHECK(ends(child));
}

TEST_CASE("the guards of the process may be killed") {
    TokenBench bench;
    auto owner = bench.scenario.start({"cat"});
    CHECK(bench.take(holding_for(owner.pid(), {"-j1", "--ttl", "5"}), "@guards", {}).status == 0);
    const auto holder = holder_of(bench, "@guards");
    SUBCASE("the keeper of the lease is replaced") {
        replace_keeper(holder);
        CHECK(bench.outlasts("@guards", "6"));
        owner.close_input();
        CHECK(bench.take({"-w", "30"}, "@guards").status == 0);
    }
    SUBCASE("the process that keeps the token gives it back with its end, as on one host") {
        REQUIRE(::kill(holder, SIGKILL) == 0);
        CHECK(bench.take({"-w", "30"}, "@guards").status == 0);
        CHECK(owner.is_running());
    }
}

TEST_CASE("the command that waits for the process is replaced when it is killed") {
    TokenBench bench;
    auto owner = bench.scenario.start({"cat"});
    CHECK(bench.take(holding_for(owner.pid(), long_lease), "@wait", {}).status == 0);
    const auto holder = holder_of(bench, "@wait");
    SUBCASE("killed again and again, with its keeper") {
        for (int count = 0; count < 3; ++count) {
            const auto waiting = command_of(holder);
            REQUIRE(::kill(waiting, SIGKILL) == 0);
            REQUIRE(eventually([&] {
                const auto next = command_of(holder);
                return next != 0 && next != waiting;
            }));
        }
        // The next keeper has to guard the last command.
        replace_keeper(holder);
        CHECK(bench.take({"-nq"}, "@wait").status == 1);
        owner.close_input();
        CHECK(bench.take({"-w", "30"}, "@wait").status == 0);
    }
    SUBCASE("killed just before TERM tells its guard to end") {
        const auto waiting = command_of(holder);
        REQUIRE(::kill(waiting, SIGKILL) == 0);
        REQUIRE(::kill(holder, SIGTERM) == 0);
        CHECK(bench.take({"-w", "30"}, "@wait").status == 0);
        CHECK(owner.is_running());
    }
}
