#include "cluster/token_requests.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace ipcbox;
using namespace ipcbox::cluster;

namespace {

const TokenKeys keys = TokenKeys::parse("@x");
constexpr etcd::LeaseId lease = 0xabc;

etcd::KeyValue entry(const std::string& key, etcd::Revision revision) {
    etcd::KeyValue kv;
    kv.key = key;
    kv.create_revision = kv.mod_revision = revision;
    return kv;
}

etcd::Range::Answer found(std::vector<etcd::KeyValue> entries) {
    etcd::Range::Answer answer;
    answer.found = std::move(entries);
    return answer;
}

// A server's answer to a look, with the entries "q/3", "q/5" and ours, which was made at 9. There
// are 2 slots.
etcd::Transaction::Answer look_of_three() {
    auto slots = entry(keys.slots(), 2);
    slots.value = "2";
    const auto ours = entry(keys.entry(lease), 9);
    etcd::Transaction::Answer answer;
    answer.succeeded = true;
    answer.results = {found({slots}), found({ours}),
                      found({entry("q/3", 3), entry("q/5", 5), ours}), found({entry("q/5", 5)})};
    return answer;
}

} // namespace

TEST_CASE("a look tells the slots, our entry, the oldest ones and the one before ours") {
    const auto look = look_in(look_of_three(), keys.entry(lease));
    CHECK(look.slots == "2");
    CHECK(look.slots_revision == 2);
    CHECK(look.has_ours);
    CHECK(look.first.size() == 3);
    REQUIRE(look.before_ours);
    CHECK(look.before_ours->key == "q/5");
    CHECK(judge(look, keys.entry(lease), 9, 2).kind == Turn::Kind::first);
}

TEST_CASE("an answer to entering the queue is a look after the result of the put") {
    auto answer = look_of_three();
    answer.results.insert(answer.results.begin(), etcd::Range::Answer{});
    answer.results.back() = found({entry(keys.entry(lease), 9), entry("q/5", 5)});
    const auto enqueued = enqueued_in(answer, keys.entry(lease));
    REQUIRE(enqueued);
    CHECK(enqueued->revision == 9);
    REQUIRE(enqueued->look.before_ours);
    CHECK(enqueued->look.before_ours->key == "q/5");
}

TEST_CASE("an entry that came after ours is never the one before it") {
    auto answer = look_of_three();
    answer.results.back() = found({entry("q/12", 12), entry(keys.entry(lease), 9)});
    CHECK(!look_in(answer, keys.entry(lease)).before_ours);
}

TEST_CASE("an answer that lacks something says that our entry is gone, not that it is our turn") {
    CHECK(!look_in({}, keys.entry(lease)).has_ours);
    CHECK(!enqueued_in({}, keys.entry(lease)));
    auto answer = look_of_three();
    answer.results[1].found.clear();
    CHECK(!look_in(answer, keys.entry(lease)).has_ours);
    CHECK(judge(look_in(answer, keys.entry(lease)), keys.entry(lease), 9, 2).kind ==
          Turn::Kind::gone);
    answer = look_of_three();
    answer.results[0].found.clear();
    CHECK(judge(look_in(answer, keys.entry(lease)), keys.entry(lease), 9, 2).kind ==
          Turn::Kind::no_set);
}

TEST_CASE("requests look no further than they have to") {
    const auto look = look_request(keys, {lease, 9}, 2);
    REQUIRE(look.success.size() == 4);
    CHECK(look.success[2].range.limit == 3);
    CHECK(look.success[2].range.keys_only);
    CHECK(look.success[3].range.limit == 1);
    CHECK(look.success[3].range.max_create_revision == 8);
    const auto enqueue = enqueue_request(keys, {}, lease, 2);
    CHECK(enqueue.success.size() == 5);
    CHECK(enqueue.success[0].lease == lease);
    CHECK(enqueue.compares[0].value == "2");
    CHECK(enqueue.success[4].range.max_create_revision == 0);
    CHECK(peek_request(keys, 4).success[1].range.limit == 4);
    const auto confirm = confirm_request(keys, {}, {lease, 9}, 2);
    CHECK(confirm.compares.size() == 2);
    CHECK(confirm.compares[0].number == 9);
    CHECK(confirm.compares[1].number == 2);
}

TEST_CASE("a value that is no entry does not hide that somebody is there") {
    auto odd = entry("q/3", 3);
    odd.value = "what?";
    auto good = entry("q/5", 5);
    good.value = TokenEntry{"web3", 812, "root", "make", 1, TokenEntry::State::held}.json();
    const auto entries = entries_in(found({odd, good}));
    REQUIRE(entries.size() == 2);
    CHECK(entries[0].host.empty());
    CHECK(entries[1].host == "web3");
}
