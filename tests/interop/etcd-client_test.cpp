// Our client of etcd with a real etcd.
#include "core/poll.h"
#include "harness/etcd_client.h"
#include "harness/etcd_cluster.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace ipcbox::etcd;
using namespace std::chrono_literals;

TEST_CASE("the tokens work with one member of etcd") {
    Scenario scenario;
    EtcdCluster cluster{scenario.path("."), {}};
    Client client{access_to(cluster.endpoints())};
    const auto lease = any_lease();

    SUBCASE("a lease is granted, kept alive and revoked, and then it is gone") {
        CHECK(client.call(LeaseGrant{30, lease}, soon()).ttl_s == 30);
        CHECK(client.call(LeaseGrant{30, lease}, soon()).ttl_s == 30); // the same request again
        CHECK(client.call(LeaseKeepAlive{lease}, soon()).ttl_s == 30);
        (void)client.call(LeaseRevoke{lease}, soon());
        CHECK(client.call(LeaseKeepAlive{lease}, soon()).ttl_s == 0);
        CHECK(failure_of(client, LeaseRevoke{lease}).kind() == CallError::Kind::gone);
    }
    SUBCASE("a transaction compares, puts and reads, and reports the revision") {
        (void)client.call(LeaseGrant{30, lease}, soon());
        Transaction transaction = put("a/1", "one", lease);
        transaction.compares = {
            {"a/1", Compare::Target::create_revision, Compare::Relation::equal, 0}};
        transaction.success.push_back(Operation::get({"a/", end_of_prefix("a/")}));
        transaction.failure = {Operation::get({"a/1", ""})};
        const auto first = client.call(transaction, soon());
        REQUIRE(first.succeeded);
        REQUIRE(first.results.size() == 2);
        REQUIRE(first.results[1].found.size() == 1);
        const auto kv = first.results[1].found.front();
        CHECK(kv.key == "a/1");
        CHECK(kv.value == "one");
        CHECK(kv.lease == lease);
        CHECK(kv.create_revision == first.revision);
        const auto second = client.call(transaction, soon());
        CHECK_FALSE(second.succeeded);
        REQUIRE(second.results.size() == 1);
        CHECK(second.results[0].found.front().mod_revision == kv.mod_revision);
        CHECK(second.revision == first.revision);
        const auto wrong_value = client.call(
            Transaction{
                {{"a/1", Compare::Target::value, Compare::Relation::equal, 0, "two"}}, {}, {}},
            soon());
        CHECK_FALSE(wrong_value.succeeded);
        const auto removed = client.call(Transaction{{}, {Operation::remove("a/1")}, {}}, soon());
        CHECK(removed.results.front().count == 1);
    }
    SUBCASE("a range is in the order of creation, and ends at its limit") {
        for (const auto* key : {"q/3", "q/1", "q/2"})
            (void)client.call(put(key, "x"), soon());
        Range range{"q/", end_of_prefix("q/"), 2, Range::Order::ascending, true};
        const auto first = client.call(range, soon());
        REQUIRE(first.found.size() == 2);
        CHECK(first.found[0].key == "q/3");
        CHECK(first.found[0].value.empty());
        CHECK(first.found[1].key == "q/1");
        CHECK(first.more);
        CHECK(first.revision > 0);
        range.order = Range::Order::descending;
        range.limit = 1;
        range.max_create_revision = first.found[1].create_revision - 1;
        const auto before = client.call(range, soon());
        REQUIRE(before.found.size() == 1);
        CHECK(before.found[0].key == "q/3");
    }
    SUBCASE("a watch reports puts and deletions, or only deletions") {
        const auto all = client.watch({"w/", end_of_prefix("w/")});
        const auto deletions = client.watch({"w/1", "", Watch::Puts::left_out});
        for (int armed = 0; armed < 2; ++armed)
            REQUIRE(client.wait_event(soon())->kind == WatchEvent::Kind::created);
        (void)client.call(put("w/1", "x"), soon());
        (void)client.call(Transaction{{}, {Operation::remove("w/1")}, {}}, soon());
        std::string told;
        for (int events = 0; events < 3; ++events) {
            const auto event = client.wait_event(soon());
            REQUIRE(event);
            CHECK(event->kv.key == "w/1");
            if (event->watch == deletions) CHECK(event->kind == WatchEvent::Kind::deleted);
            if (event->watch == all) told += event->kind == WatchEvent::Kind::put ? 'p' : 'd';
        }
        CHECK(told == "pd");
        client.unwatch(all);
        (void)client.call(put("w/1", "y"), soon());
        (void)client.call(Transaction{{}, {Operation::remove("w/1")}, {}}, soon());
        CHECK(next_of(client, deletions).kind == WatchEvent::Kind::deleted);
        CHECK_FALSE(client.next_event());
    }
    SUBCASE("a poll loop drives calls while it does other work") {
        const auto call = client.start(put("loop", "x"), soon());
        std::optional<FinishedCall> finished;
        while (!finished) {
            auto entries = client.poll_entries();
            (void)poll_until(entries, client.next_moment());
            client.work();
            finished = client.next_finished();
        }
        CHECK(finished->id == call);
        CHECK_FALSE(finished->error);
        CHECK(Transaction::Answer::decode(finished->answer).succeeded);
    }
    SUBCASE("a restart of the only member loses the watches, but no call") {
        const auto watch = armed(client, {"k", ""});
        cluster.restart(0);
        (void)client.call(put("k", "x"), Deadline::after(30s));
        const auto event = next_of(client, watch);
        CHECK(event.kind == WatchEvent::Kind::lost);
        CAPTURE(event.reason);
        CHECK(contains(event.reason, "the connection was lost"));
        const auto next = armed(client, {"k", ""});
        (void)client.call(put("k", "y"), soon());
        CHECK(next_of(client, next).kv.value == "y");
    }
    SUBCASE("1000 simultaneous calls are all answered") {
        std::vector<CallId> calls;
        for (int number = 0; number < 1000; ++number)
            calls.push_back(
                client.start(put(fmt::format("m/{}", number), std::string(100, 'x')), soon()));
        for (const auto call : calls)
            (void)client.finish(call);
        CHECK(client.call(Range{"m/", end_of_prefix("m/")}, soon()).found.size() == 1000);
    }
}
