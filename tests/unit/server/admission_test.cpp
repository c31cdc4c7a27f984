#include "server/admission.h"

#include <atomic>
#include <doctest/doctest.h>
#include <thread>

using namespace ipcbox;

TEST_CASE("places are taken and given back") {
    server::Gate gate{{.places = 2}};
    CHECK(gate.enter());
    CHECK(gate.try_enter() == server::Gate::Entry::taken);
    CHECK(gate.try_enter() == server::Gate::Entry::full);
    gate.leave();
    CHECK(gate.try_enter() == server::Gate::Entry::taken);
}

TEST_CASE("who waits for a place gets the next one") {
    server::Gate gate{{.places = 1}};
    REQUIRE(gate.enter());
    std::atomic<bool> entered = false;
    {
        const std::jthread waiting{[&] { entered = gate.enter(); }};
        gate.leave();
    }
    CHECK(entered);
    CHECK(gate.try_enter() == server::Gate::Entry::full);
}

TEST_CASE("nobody enters a closed gate, nor waits before it") {
    server::Gate gate{{.places = 1}};
    REQUIRE(gate.enter());
    std::atomic<bool> entered = true;
    {
        const std::jthread waiting{[&] { entered = gate.enter(); }};
        gate.close();
    }
    CHECK(!entered);
    gate.leave();
    CHECK(!gate.enter());
    CHECK(gate.try_enter() == server::Gate::Entry::closed);
    gate.open();
    CHECK(gate.enter());
}

TEST_CASE("the total closes it, and an entry that came to nothing does not count") {
    server::Gate gate{{.places = 5, .total = 2}};
    CHECK(gate.enter());
    gate.leave_unused();
    CHECK(gate.enter());
    CHECK(gate.enter());
    CHECK(!gate.enter());
    gate.leave();
    CHECK(gate.try_enter() == server::Gate::Entry::closed);
}

TEST_CASE("the rate holds for any period, and not only for those that begin with it") {
    server::Gate gate{{.places = 5, .rate = server::Rate{2, std::chrono::milliseconds{20}}}};
    const auto start = Deadline::Clock::now();
    for (int entry = 0; entry < 5; ++entry) {
        CHECK(gate.enter());
        gate.leave();
    }
    // The third waits for the first to be 20 ms old, the fifth for the third.
    CHECK(Deadline::Clock::now() - start >= std::chrono::milliseconds{40});
    CHECK(gate.enter());
    CHECK(gate.try_enter() == server::Gate::Entry::full);
}

TEST_CASE("each network has its own count") {
    server::Gate gate{{}};
    CHECK(gate.enter_network("one", 2));
    CHECK(gate.enter_network("one", 2));
    CHECK(!gate.enter_network("one", 2));
    CHECK(gate.enter_network("two", 1));
    gate.leave_network("one");
    CHECK(gate.enter_network("one", 2));
    CHECK(!gate.enter_network("nobody", 0));
    gate.leave_network("unknown");
}

TEST_CASE("connections of a former image take places") {
    server::Gate gate{{.places = 1}};
    gate.add_taken();
    CHECK(gate.try_enter() == server::Gate::Entry::full);
    gate.leave();
    CHECK(gate.try_enter() == server::Gate::Entry::taken);
}
