#include "sysv/plain_set.h"

#include "token_holders.h"

#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

// A plain set, and its only value.
struct Plain {
    Scenario scenario;
    sysv::Key key = sysv::Key::parse(scenario.key());
    sysv::TokenSet set = sysv::TokenSet::create(key, 1, modes);

    [[nodiscard]] int value() const { return values_of(key).at(0); }
};

} // namespace

TEST_CASE("the value of a plain set says how its token is taken") {
    Plain plain;
    CHECK(values_of(plain.key).size() == 1);
    REQUIRE(plain.set.take(sysv::Lease::until_given, now()));
    CHECK(plain.value() == 1); // the value of the manual page
    CHECK(plain.set.holders().at(0).lease == sysv::Lease::until_given);
    REQUIRE(plain.set.give(now()));
    for (const auto lease : {sysv::Lease::until_process_ends, sysv::Lease::until_owner_ends}) {
        auto holder = start_holder(plain.key, lease);
        CHECK(plain.value() > 1);
        CHECK(plain.set.holders().at(0).lease == lease);
        CHECK(plain.set.holders().at(0).pid == holder.pid());
        end(holder);
        CHECK(plain.value() == 0);
    }
}

TEST_CASE("a token of a plain set that is held until a process ends is not given") {
    Plain plain;
    for (const auto lease : {sysv::Lease::until_process_ends, sysv::Lease::until_owner_ends}) {
        auto holder = start_holder(plain.key, lease);
        const int held = plain.value();
        CHECK_FALSE(plain.set.give(now()));
        CHECK_FALSE(plain.set.give(Deadline::after(1ms)));
        CHECK(plain.value() == held);
        CHECK_FALSE(manual_take(plain.set.id(), IPC_NOWAIT));
        end(holder);
        CHECK_FALSE(plain.set.give(now()));
    }
}

TEST_CASE("a held token of a plain set stays held when a program of the manual page gives it") {
    Plain plain;
    auto holder = start_holder(plain.key, sysv::Lease::until_process_ends);
    manual_give(plain.set.id());
    CHECK_FALSE(plain.set.give(now()));
    CHECK_FALSE(plain.set.take(sysv::Lease::until_given, now()));
    CHECK_FALSE(manual_take(plain.set.id(), IPC_NOWAIT));
    end(holder);
    CHECK(plain.value() == 0);
}

TEST_CASE(
    "a giver that waits on a plain set passes a held token over and gives the next lent one") {
    Plain plain;
    auto holder = start_holder(plain.key, sysv::Lease::until_process_ends);
    Child giver = fork_child([&] { return sysv::TokenSet::find(plain.key)->give(soon()) ? 0 : 1; });
    CHECK(eventually([&] { return is_blocked_in(giver.pid(), SYS_semtimedop); }));
    end(holder);
    CHECK(plain.set.take(sysv::Lease::until_given, soon()));
    CHECK(status_of(giver) == 0);
    CHECK(plain.value() == 0);
}

TEST_CASE("a plain set cannot be resized") {
    const Scenario scenario;
    auto set = sysv::TokenSet::create(sysv::Key::parse(scenario.key()), 1, modes);
    CHECK(set.resize(1, now()));
    CHECK(error_of([&] { (void)set.resize(2, now()); }).find("plain set") != std::string::npos);
}
