#include "cluster/guard_channel.h"

#include "core/socket_pair.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::cluster;
using namespace std::chrono_literals;

namespace {

struct Ends {
    Ends() {
        auto pair = make_socket_pair();
        here = GuardChannel{std::move(pair.ours)};
        there = GuardChannel{std::move(pair.theirs)};
    }
    GuardChannel here;
    GuardChannel there;
};

} // namespace

TEST_CASE("lines come whole and in order, and the end comes after the last") {
    Ends ends;
    CHECK(!ends.there.next());
    ends.here.say("note two\nlines");
    ends.here.say("given");
    ends.here = GuardChannel{};
    CHECK(ends.there.next() == "note two lines");
    CHECK(!ends.there.is_ended());
    CHECK(ends.there.next() == "given");
    CHECK(!ends.there.next());
    CHECK(ends.there.is_ended());
}

TEST_CASE("a reader that is stopped delays nobody, and finds the newest renewal") {
    Ends ends;
    LeaseTimes times;
    for (int count = 0; count < 10'000; ++count) {
        times.renewed += 1s;
        ends.here.say_renewed(times);
    }
    CHECK(ends.here.has_unsent());
    LeaseTimes heard;
    for (int round = 0; round < 3; ++round) {
        while (const auto line = ends.there.next()) {
            REQUIRE(line->starts_with("renewed "));
            update(heard, std::string_view{*line}.substr(8));
        }
        ends.here.flush();
    }
    CHECK(heard.renewed == times.renewed);
    CHECK(heard.ttl == times.ttl);
}

TEST_CASE("a line for a process that is gone is lost without a word") {
    Ends ends;
    ends.there = GuardChannel{};
    ends.here.say("given");
    CHECK(!ends.here.has_unsent());
    CHECK(!ends.here.next());
    CHECK(ends.here.is_ended());
}
