#include "sysv/counting_set.h"

#include "token_holders.h"

#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

TEST_CASE("every holder of a counting set is known, with its lease") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.key());
    const auto set = sysv::TokenSet::create(key, 3, modes);
    const auto first = start_holder(key, sysv::Lease::until_process_ends);
    const auto second = start_holder(key, sysv::Lease::until_given);
    const auto holders = set.holders();
    REQUIRE(holders.size() == 2);
    CHECK(holders[0].pid == first.pid());
    CHECK(holders[0].lease == sysv::Lease::until_process_ends);
    CHECK(holders[1].pid == second.pid());
    CHECK(holders[1].lease == sysv::Lease::until_given);
}

TEST_CASE("a give of the manual page without a take blocks nobody") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.key());
    auto set = sysv::TokenSet::create(key, 2, modes);
    const auto fresh = values_of(key);
    SUBCASE("while a token is lent") {
        REQUIRE(set.take(sysv::Lease::until_given, now()));
        manual_give(set.id());
        manual_give(set.id());
        CHECK(set.give(now()));
        CHECK(values_of(key) == fresh);
    }
    SUBCASE("while a token is leased") {
        auto holder = start_holder(key, sysv::Lease::until_process_ends);
        manual_give(set.id());
        end(holder);
        CHECK(values_of(key) == fresh);
    }
}

TEST_CASE("a counting set is resized up and down, also while it is in use") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.name());
    auto set = sysv::TokenSet::create(key, 2, modes);
    REQUIRE(set.take(sysv::Lease::until_given, now()));
    REQUIRE(set.take(sysv::Lease::until_given, now()));

    SUBCASE("up: a waiting taker gets a token") {
        auto waiter = start_waiter(key, sysv::Lease::until_given);
        CHECK(set.resize(3, now()));
        CHECK(status_of(waiter) == 0);
        CHECK(set.slots() == 3);
        CHECK(set.taken() == 3);
        CHECK_FALSE(set.take(sysv::Lease::until_given, now()));
    }
    SUBCASE("down: not below what is taken") {
        CHECK_FALSE(set.resize(1, now()));
        CHECK(set.slots() == 2);
        CHECK(set.give(now()));
        CHECK(set.resize(1, now()));
        CHECK_FALSE(set.take(sysv::Lease::until_given, now()));
        CHECK(set.give(now()));
        CHECK(set.take(sysv::Lease::until_given, now()));
    }
    SUBCASE("down: it waits until tokens are given") {
        Child resizer = fork_child([&] { return set.resize(1, soon()) ? 0 : 1; });
        CHECK(eventually([&] { return is_blocked_in(resizer.pid(), SYS_semtimedop); }));
        CHECK(set.give(now()));
        CHECK(status_of(resizer) == 0);
        CHECK(set.slots() == 1);
    }
    SUBCASE("two at the same time: the last one wins, and no token is made or lost") {
        std::vector<Child> resizers;
        for (int slots = 3; slots < 11; ++slots)
            resizers.push_back(fork_child([&] { return set.resize(slots, soon()) ? 0 : 1; }));
        for (auto& resizer : resizers)
            CHECK(status_of(resizer) == 0);
        const int slots = set.slots();
        CHECK(slots >= 3);
        for (int taken = 2; taken < slots; ++taken)
            CHECK(set.take(sysv::Lease::until_given, now()));
        CHECK_FALSE(set.take(sysv::Lease::until_given, now()));
    }
    SUBCASE("not beyond the limit that it was created with") {
        CHECK(set.resize(64, now()));
        CHECK(error_of([&] { (void)set.resize(65, now()); }) ==
              fmt::format("cannot resize {} to 65 slots: it was made for at most 64", key.text()));
    }
}

TEST_CASE("a counting set tells its shape, its name and its state by its values") {
    const Scenario scenario;
    const auto named = sysv::Key::parse(scenario.name());
    auto set = sysv::TokenSet::create(named, 3, modes);
    CHECK(sysv::CountingSet::has_shape(values_of(named)));
    CHECK(sysv::CountingSet::name_in(values_of(named)) == scenario.name());
    CHECK(sysv::CountingSet::creator_of(*sysv::SemaphoreSet::find(named)) == ::getpid());
    const auto holder = start_holder(named, sysv::Lease::until_process_ends);
    REQUIRE(set.take(sysv::Lease::until_given, now()));
    const auto state = sysv::CountingSet::state_in(values_of(named));
    CHECK(state.slots == 3);
    CHECK(state.taken == 2);
    CHECK(state.waiting == 0);
    const auto numbered = sysv::Key::parse(scenario.key());
    (void)sysv::TokenSet::create(numbered, 3, modes);
    CHECK(sysv::CountingSet::has_shape(values_of(numbered)));
    CHECK(sysv::CountingSet::name_in(values_of(numbered)).empty());
    const auto plain = sysv::Key::parse(scenario.key(1));
    (void)sysv::TokenSet::create(plain, 1, modes);
    CHECK_FALSE(sysv::CountingSet::has_shape(values_of(plain)));
}

TEST_CASE("a set whose name is too long to keep is used as any other") {
    const Scenario scenario;
    const auto key = sysv::Key::parse(scenario.name() + std::string(60, 'x'));
    const auto set = sysv::TokenSet::create(key, 2, modes);
    CHECK(sysv::CountingSet::name_in(values_of(key)).empty());
    CHECK(sysv::TokenSet::find(key)->id() == set.id());
    sysv::SemaphoreSet::find(key)->remove();
}
