// sem-take --etcd while members of its cluster are killed and stopped: waiters and holders of a
// token.
#include "harness/token_bench.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <vector>

using namespace ipcbox::test;

namespace {

// On three members, a sem-take that holds the only token of NAME, and one that waits for it.
struct Queue {
    Queue(TokenBench& bench, const std::string& name, const std::string& ttl)
        : holder(bench.hold({"-j1", "--ttl", ttl}, name)),
          waiter(bench.scenario.start(bench.words({"-j1", "--ttl", ttl}, name, bench.holding()))) {
        REQUIRE(eventually([&] { return bench.queue_length(name) == 2; }));
    }

    Process holder;
    Process waiter;
};

} // namespace

TEST_CASE("a leader that is killed or stalls costs nobody their place") {
    TokenBench bench{3};
    auto [holder, waiter] = Queue{bench, "@leader", "20"};
    const auto leader = bench.cluster.leader();
    SUBCASE("killed") {
        bench.cluster.kill(leader);
    }
    SUBCASE("stopped") {
        bench.cluster.stop(leader);
    }
    holder.close_input();
    CHECK(holder.wait().status == 5);
    CHECK(waiter.line() == "in");
}

TEST_CASE("without a quorum nobody enters, and afterwards the next one does") {
    TokenBench bench{3};
    auto [holder, waiter] = Queue{bench, "@quorum", "10m"};
    for (int count = 0; count < 2; ++count) {
        bench.cluster.stop(1);
        bench.cluster.stop(2);
        const auto late = bench.take({"-w", "2"}, "@quorum");
        CHECK(late.status == 1);
        CHECK(late.err.starts_with("sem-take: cannot take from @quorum: no answer in time: "));
        bench.cluster.resume(1);
        bench.cluster.resume(2);
    }
    holder.close_input();
    CHECK(holder.wait().status == 5);
    CHECK(waiter.line() == "in");
}

TEST_CASE("a leader that was stopped past the leases may revoke them: then the command ends") {
    TokenBench bench{3};
    struct Pair {
        Process holder;
        Process waiter;
    };
    std::vector<Pair> pairs;
    for (int number = 0; number < 8; ++number) {
        const auto name = fmt::format("@stall{}", number);
        auto holder = bench.hold({"-q", "-j1", "--ttl", "4"}, name);
        auto waiter = bench.scenario.start(bench.words({"-q"}, name, {"echo", "in"}));
        REQUIRE(eventually([&] { return bench.queue_length(name) == 2; }));
        pairs.push_back({std::move(holder), std::move(waiter)});
    }
    // A token without a lease stays taken in any case.
    REQUIRE(bench.take({"-j1"}, "@lent", {}).status == 0);
    const auto leader = bench.cluster.leader();
    bench.cluster.stop(leader);
    CHECK(bench.outlasts("@lent", "6"));
    bench.cluster.resume(leader);
    CHECK(bench.take({"-j1"}, "@other").status == 0);
    for (auto& [holder, waiter] : pairs) {
        // A holder that has let another one in must have ended its command.
        const bool is_lost = !waiter.is_running();
        if (!is_lost) holder.close_input();
        const auto status = holder.wait().status;
        CHECK((status == 124 || (status == 5 && !is_lost)));
        CHECK(waiter.line() == "in");
    }
}
