#include "cluster/turn.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace ipcbox::cluster;

namespace {

std::string key_of(int revision) {
    return fmt::format("q/{}", revision);
}

// How OURS sees a queue of entries that were made at REVISIONS.
QueueLook look_at(const std::vector<int>& revisions, int ours, int slots) {
    QueueLook look;
    look.slots = fmt::format("{}", slots);
    for (const int revision : revisions) {
        if (static_cast<int>(look.first.size()) <= slots)
            look.first.push_back({key_of(revision), revision});
        if (revision < ours) look.before_ours = QueueEntry{key_of(revision), revision};
        if (revision == ours) look.has_ours = true;
    }
    return look;
}

Turn turn_of(const std::vector<int>& revisions, int ours, int slots) {
    return judge(look_at(revisions, ours, slots), key_of(ours), ours, slots);
}

} // namespace

TEST_CASE("the first entries are inside, as many as there are slots") {
    CHECK(turn_of({3}, 3, 1).kind == Turn::Kind::inside);
    CHECK(turn_of({3, 5, 9}, 9, 3).kind == Turn::Kind::inside);
    CHECK(turn_of({3, 5, 9}, 3, 1).kind == Turn::Kind::inside);
}

TEST_CASE("the first waiter watches everybody inside, since any of them may leave first") {
    const auto turn = turn_of({3, 5, 9, 11}, 9, 2);
    CHECK(turn.kind == Turn::Kind::first);
    CHECK(turn.waits_for(key_of(3)));
    CHECK(turn.waits_for(key_of(5)));
    CHECK(!turn.waits_for(key_of(9)));
    CHECK(!turn.waits_for(key_of(11)));
}

TEST_CASE("every other waiter watches only the entry right before its own") {
    const auto turn = turn_of({3, 5, 9, 11, 12}, 12, 2);
    CHECK(turn.kind == Turn::Kind::behind);
    CHECK(turn.ahead == std::vector{key_of(11)});
    const auto second = turn_of({3, 5, 9, 11, 12}, 11, 2);
    CHECK(second.kind == Turn::Kind::behind);
    CHECK(second.ahead == std::vector{key_of(9)});
}

TEST_CASE(
    "with one slot, the waiter behind the first needs no other watches when it is the first") {
    const auto behind = turn_of({3, 5, 9}, 9, 1);
    const auto first = turn_of({5, 9}, 9, 1);
    CHECK(behind.kind == Turn::Kind::behind);
    CHECK(first.kind == Turn::Kind::first);
    CHECK(first.watches_as(behind));
    CHECK_FALSE(turn_of({3, 9}, 9, 1).watches_as(behind));
    // With two slots, the first waiter watches two entries.
    CHECK_FALSE(turn_of({3, 5, 9}, 9, 2).watches_as(turn_of({3, 4, 5, 9}, 9, 2)));
    CHECK_FALSE(turn_of({3, 4, 5, 9}, 9, 2).watches_as(turn_of({3, 5, 9}, 9, 1)));
}

TEST_CASE("an entry that is not there any more has lost its place") {
    CHECK(turn_of({3, 5}, 4, 1).kind == Turn::Kind::gone);
    CHECK(turn_of({}, 4, 1).kind == Turn::Kind::gone);
}

TEST_CASE("a look that assumed another number of slots says nothing about the turn") {
    auto look = look_at({3, 5}, 5, 2);
    look.slots = "1";
    CHECK(judge(look, key_of(5), 5, 2).kind == Turn::Kind::slots_differ);
    look.slots = "many";
    CHECK(judge(look, key_of(5), 5, 2).kind == Turn::Kind::slots_differ);
    look.slots.reset();
    CHECK(judge(look, key_of(5), 5, 2).kind == Turn::Kind::no_set);
}

TEST_CASE("a number of slots is a whole number from 1 on") {
    CHECK(parse_slots("4") == 4);
    for (const auto* const text : {"", "0", "-1", "4 ", "x", "99999999999999999999"}) {
        CAPTURE(text);
        CHECK(!parse_slots(text));
    }
}
