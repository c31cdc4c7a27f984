// sem-create, sem-give and ipc-list on sets that several machines share, with a real etcd.
#include "harness/peer.h"
#include "harness/token_bench.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox::test;

namespace {

// A cluster of one member, and the applets that use it.
struct World : TokenBench {
    Result run(Words words) {
        words.insert(words.begin() + 1, {"--etcd", cluster.endpoints()});
        return scenario.run(words);
    }
    std::string list(const std::string& name) { return run({"ipc-list", name}).out; }
};

} // namespace

TEST_CASE("sem-create makes, changes and removes a set that several hosts share") {
    World world;
    const auto made = world.run({"sem-create", "-n", "2", "@build"});
    CHECK(made.status == 0);
    CHECK(made.out == "ipcbox/sem/build\n");
    CHECK(world.cluster.ctl({"get", "--print-value-only", "ipcbox/sem/build/slots"}) == "2\n");
    CHECK(world.run({"sem-create", "-n", "2", "@build"}).status == 0);
    const auto other = world.run({"sem-create", "-n", "3", "@build"});
    CHECK(other.status == 1);
    CHECK(other.err == "sem-create: cannot make @build with 3 slots: it has 2 (--resize changes "
                       "that)\n");

    const auto resized = world.run({"sem-create", "-J", "--resize", "3", "@build"});
    CHECK(resized.out == R"({"v":1,"key":"@build","place":"ipcbox/sem/build","slots":3,"taken":0})"
                         "\n");
    auto first = world.hold({}, "@build");
    auto second = world.hold({}, "@build");
    SUBCASE("fewer slots than are taken are refused, and the number stays") {
        const auto refused = world.run({"sem-create", "--resize", "1", "@build"});
        CHECK(refused.status == 1);
        CHECK(refused.err == "sem-create: cannot resize @build to 1: 2 of 3 are taken\n");
        CHECK(contains(world.list("@build"), "2 of 3 taken"));
    }
    SUBCASE("fewer slots than are taken wait until a token is given") {
        auto resizing = world.scenario.start({"sem-create", "--etcd", world.cluster.endpoints(),
                                              "--resize", "1", "-w", "20s", "@build"});
        REQUIRE(eventually([&] { return contains(world.list("@build"), "1 of 1 taken"); }));
        first.send("\n");
        CHECK(first.wait().status == 5);
        CHECK(resizing.wait().status == 0);
    }
    SUBCASE("more slots let waiting takers in") {
        CHECK(world.run({"sem-create", "--resize", "2", "@build"}).status == 0);
        auto third = world.scenario.start(world.words({"-v"}, "@build", {"echo", "in"}));
        CHECK(contains(third.error_line(), "waiting for"));
        CHECK(world.run({"sem-create", "--resize", "3", "@build"}).status == 0);
        CHECK(third.line() == "in");
    }
    SUBCASE("a set is removed only if it is not in use") {
        const auto refused = world.run({"sem-create", "--remove", "@build"});
        CHECK(refused.status == 1);
        CHECK(refused.err == "sem-create: cannot remove @build: 2 of 3 are taken\n");
        for (auto* holder : {&first, &second}) {
            holder->send("\n");
            (void)holder->wait();
        }
        CHECK(world.run({"sem-create", "--remove", "@build"}).status == 0);
        const auto missing = world.run({"sem-create", "--remove", "@build"});
        CHECK(missing.status == 1);
        CHECK(missing.err == "sem-create: cannot remove @build: there is no such set\n");
        CHECK(world.run({"sem-create", "--resize", "1", "@build"}).err ==
              "sem-create: cannot resize @build: there is no such set\n");
    }
}

TEST_CASE("a waiter without a command goes on when the member that it talks to is stopped") {
    TokenBench bench{3};
    CHECK(bench.take({"-j", "1"}, "@lent", {}).status == 0);
    auto waiter = bench.scenario.start(bench.words({"-v", "--ttl", "4"}, "@lent", {}));
    CHECK(contains(waiter.error_line(), "waiting for"));
    bench.cluster.stop(0);
    const auto others = bench.cluster.endpoint(1) + "," + bench.cluster.endpoint(2);
    CHECK(bench.scenario.run({"sem-give", "--etcd", others, "@lent"}).status == 0);
    CHECK(waiter.wait().status == 0);
}

TEST_CASE("ipc-list shows the sets of a cluster with those that hold and wait") {
    World world;
    CHECK(world.run({"ipc-list"}).out.empty());
    CHECK(world.run({"sem-create", "-n", "4", "@idle"}).status == 0);
    auto holder = world.hold({"-j", "1"}, "@busy");
    auto waiter = world.scenario.start(world.words({"-v", "-j", "1"}, "@busy", {"true"}));
    CHECK(contains(waiter.error_line(), "waiting for"));
    std::string all;
    CHECK(eventually([&] {
        all = world.run({"ipc-list"}).out;
        return contains(all, "; waited for by ");
    }));
    CHECK(contains(all, "KEY    STATE         USED BY\n@busy  1 of 1 taken  held by "));
    CHECK(contains(all, " (sh, "));
    CHECK(contains(all, "@idle  0 of 4 taken  nobody\n"));
    const auto line = world.run({"ipc-list", "-J", "@busy"}).out;
    CHECK(line.starts_with(R"({"v":1,"kind":"etcd-sem","key":"@busy","place":"ipcbox/sem/busy",)"
                           R"("slots":1,"taken":1,"waiting":1,"users":[{"does":"holds","host":")"));
    CHECK(contains(line, R"("does":"waits")"));
    const auto missing = world.run({"ipc-list", "@nothing"});
    CHECK(missing.status == 1);
    CHECK(missing.err == "ipc-list: cannot find @nothing: there is no such set\n");
}

TEST_CASE("a token taken without a command stays taken until it is given, for all hosts") {
    World world;
    const auto take = [&](Words options) {
        options.insert(options.begin(), "sem-take");
        options.insert(options.end(), {"@lent"});
        return world.run(options);
    };
    CHECK(take({}).err ==
          "sem-take: cannot take from @lent: there is no set @lent (make it with -j SLOTS)\n");
    CHECK(take({"-j", "2"}).status == 0);
    CHECK(take({"-J"}).out == "{\"v\":1,\"key\":\"@lent\",\"taken\":true}\n");
    CHECK(world.cluster.ctl({"lease", "list"}) == "found 0 leases\n");
    const auto busy = take({"-n", "-E", "9"});
    CHECK(busy.status == 9);
    CHECK(busy.err.starts_with("sem-take: @lent is taken by "));
    CHECK(take({"-q", "-w", "100ms"}).status == 1);
    CHECK(contains(world.list("@lent"), "2 of 2 taken  taken by "));

    SUBCASE("sem-give lets a waiting taker in") {
        auto waiter = world.scenario.start(world.words({"-v"}, "@lent", {"echo", "in"}));
        CHECK(contains(waiter.error_line(), "waiting for"));
        CHECK(world.run({"sem-give", "@lent"}).status == 0);
        CHECK(waiter.line() == "in");
        CHECK(waiter.wait().status == 0);
        CHECK(world.run({"sem-give", "-J", "@lent"}).out ==
              "{\"v\":1,\"key\":\"@lent\",\"given\":true,\"taken\":0}\n");
        const auto nothing = world.run({"sem-give", "@lent"});
        CHECK(nothing.status == 1);
        CHECK(nothing.err == "sem-give: @lent: not taken\n");
    }
    SUBCASE("TERM removes a taker that waits without a command") {
        auto waiter =
            world.scenario.start({"sem-take", "--etcd", world.cluster.endpoints(), "-v", "@lent"});
        CHECK(contains(waiter.error_line(), "waiting for"));
        waiter.kill(SIGTERM);
        CHECK(waiter.wait().status == 128 + SIGTERM);
        CHECK(world.queue_length("@lent") == 2);
    }
    SUBCASE("sem-give does not give a command's token") {
        CHECK(world.run({"sem-create", "-n", "1", "@held"}).status == 0);
        const auto holder = world.hold({}, "@held");
        const auto refused = world.run({"sem-give", "@held"});
        CHECK(refused.status == 1);
        CHECK(refused.err.starts_with("sem-give: @held: not given: "));
        CHECK(contains(refused.err, " has it until it ends"));
    }
    SUBCASE("a token is given back when sem-take cannot report that it is taken") {
        for (const char* redirection : {">/dev/full", ">&-"}) {
            CAPTURE(redirection);
            const auto failed = world.scenario.shell(
                fmt::format("sem-take --etcd $1 -J -j 1 @unsaid {}", redirection),
                {world.cluster.endpoints()});
            CHECK(failed.status == 1);
            CHECK(contains(failed.err, "cannot write"));
            CHECK(world.queue_length("@unsaid") == 0);
        }
    }
    CHECK(world.run({"sem-give", "@missing"}).err ==
          "sem-give: cannot give to @missing: there is no such set\n");
}

TEST_CASE("a wrong line and a cluster that is not there are one clear line each") {
    Scenario scenario;
    const RefusedPort dead;
    const auto url = "http://127.0.0.1:" + std::to_string(dead.number());
    const auto error_of = [&](const Words& words) { return scenario.run(words).err; };
    CHECK(contains(error_of({"sem-create", "--etcd", url, "/"}),
                   "a path names a file of this host only"));
    CHECK(contains(error_of({"sem-create", "--etcd", "ftp://a", "@x"}),
                   "expected http:// or https://"));
    CHECK(contains(error_of({"sem-create", "--etcd", ",", "@x"}), "expected http://HOST:PORT"));
    CHECK(contains(error_of({"sem-create", "--remove", "@x"}), "--remove needs --etcd"));
    CHECK(contains(error_of({"ipc-list", "--etcd", url, "--shm"}),
                   "--etcd can only be combined with KEY and -J"));
    const Peer portal{[](const ipcbox::Fd& client) {
        say(client, "HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n");
        (void)receive_all(client);
    }};
    const auto no_etcd = scenario.run({"ipc-list", "--etcd", portal.text()});
    CHECK(no_etcd.status == 1);
    CHECK(no_etcd.err == "ipc-list: cannot use etcd: http://" + portal.text() +
                             ": it answers in HTTP/1.1: no etcd, or its gateway only\n");
}
