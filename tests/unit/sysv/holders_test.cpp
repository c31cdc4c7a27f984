#include "sysv/holders.h"

#include "token_holders.h"

#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

TEST_CASE("the holders are known") {
    for (const auto& shape : shapes) {
        CAPTURE(shape.name);
        const Scenario scenario;
        const auto key = key_for(scenario, shape);
        const auto set = sysv::TokenSet::create(key, shape.slots, modes);
        CHECK(set.holders().empty());
        auto holder = start_holder(key, sysv::Lease::until_given);
        auto holders = set.holders();
        REQUIRE(holders.size() == 1);
        CHECK(holders[0].pid == holder.pid());
        CHECK(holders[0].lease == sysv::Lease::until_given);
        CHECK(holders[0].kept_for() == 0);
        CHECK(holders[0].process->parent == ::getpid());
        // The text has the holder's age, which may change between the two.
        CHECK(eventually([&] { return holders[0].text() == find_process(holder.pid())->text(); }));
        end(holder);
        holders = set.holders();
        REQUIRE(holders.size() == 1);
        CHECK_FALSE(holders[0].process);
        CHECK(holders[0].text() == fmt::format("{} (ended)", holders[0].pid));
    }
}

TEST_CASE("a holder that we cannot see is not said to have ended") {
    const auto text = [](pid_t pid, sysv::Lease lease) {
        return sysv::TokenHolder{pid, lease}.text();
    };
    const auto own = ::getpid();
    CHECK(text(own, sysv::Lease::until_given) == fmt::format("{}", own));
    CHECK(text(own, sysv::Lease::until_process_ends) == fmt::format("{}", own));
    CHECK(text(4194304, sysv::Lease::until_given) == "4194304 (ended)"); // no pid is this large
    CHECK(text(0, sysv::Lease::until_process_ends) == "a process of another namespace");
}

TEST_CASE("several holders are named with commas, and sharers are counted") {
    const sysv::TokenHolder one{4194304, sysv::Lease::until_given};
    const sysv::TokenHolder shared{4194304, sysv::Lease::until_process_ends, std::nullopt, 3};
    CHECK(sysv::text_of(std::vector{one, shared}) == "4194304 (ended), 3 processes that share it");
    CHECK(sysv::text_of({}) == "somebody");
    // The last one that came or went has ended, so it is not the one that is left.
    CHECK(sysv::TokenHolder{4194304, sysv::Lease::until_process_ends, std::nullopt, 1}.text() ==
          "1 process that shares it");
}

TEST_CASE("a holder that is our process or an ancestor counts as ourselves") {
    using sysv::Lease;
    const auto parent = ::getpid();
    const auto stranger = start_sleeper();
    Child child = fork_child([&] {
        const auto ours = [](pid_t pid, Lease lease, int sharers = 0) {
            return sysv::is_ourselves({pid, lease, find_process(pid), sharers});
        };
        const bool right =
            ours(::getpid(), Lease::until_process_ends) &&
            ours(parent, Lease::until_process_ends) && ours(parent, Lease::until_process_ends, 1) &&
            !ours(parent, Lease::until_process_ends, 2) && // it is one of two sharers
            !ours(parent, Lease::until_given) &&           // any process can give it
            !ours(parent, Lease::until_owner_ends) &&      // it is no keeper
            !ours(stranger.pid(), Lease::until_process_ends) && !ours(0, Lease::until_process_ends);
        return right ? 0 : 1;
    });
    CHECK(status_of(child) == 0);
}
