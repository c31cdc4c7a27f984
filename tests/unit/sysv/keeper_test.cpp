#include "sysv/keeper.h"

#include "token_holders.h"

#include <fmt/format.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

struct Kept {
    Scenario scenario;
    sysv::Key key = sysv::Key::parse(scenario.key());
    sysv::TokenSet set = sysv::TokenSet::create(key, 1, modes);

    // Starts a keeper, and returns its status.
    [[nodiscard]] int keep_for(pid_t owner) {
        return sysv::start_keeper(
            owner, [](const auto& work) { return work(); },
            [&] { return set.take(sysv::Lease::until_owner_ends, now()) ? 0 : 9; });
    }
};

} // namespace

TEST_CASE("a keeper has the token until its owner ends, and is known by the owner") {
    Kept kept;
    auto owner = start_sleeper();
    REQUIRE(kept.keep_for(owner.pid()) == 0);
    const auto holders = kept.set.holders();
    REQUIRE(holders.size() == 1);
    CHECK(holders[0].lease == sysv::Lease::until_owner_ends);
    CHECK(holders[0].kept_for() == owner.pid());
    CHECK(holders[0].process->name == fmt::format("hold:{}", owner.pid()));
    CHECK(holders[0].text().starts_with(fmt::format("{} (unit", owner.pid())));
    CHECK_FALSE(sysv::is_ourselves(holders[0]));
    CHECK_FALSE(kept.set.give(now()));
    CHECK_FALSE(sysv::end_keeper_of_ancestor(holders)); // the owner is not our ancestor
    CHECK(kept.keep_for(owner.pid()) == 9);             // busy, so no second keeper
    end(owner);
    CHECK(kept.set.take(sysv::Lease::until_given, soon()));
}

TEST_CASE("a keeper of our own, or of an ancestor, can be ended early") {
    Kept kept;
    REQUIRE(kept.keep_for(::getpid()) == 0);
    CHECK(sysv::is_ourselves(kept.set.holders().at(0)));
    Child child =
        fork_child([&] { return sysv::end_keeper_of_ancestor(kept.set.holders()) ? 0 : 1; });
    CHECK(status_of(child) == 0);
    CHECK(kept.set.taken() == 0);
    CHECK_FALSE(sysv::end_keeper_of_ancestor(kept.set.holders()));
}

TEST_CASE("a process that only calls itself a keeper is not a keeper") {
    Kept kept;
    Pipe pipe = make_pipe();
    auto liar = fork_child([&, owner = ::getpid()] {
        set_own_name(fmt::format("hold:{}", owner));
        if (!kept.set.take(sysv::Lease::until_process_ends, now())) return 1;
        pipe.writer = Fd{};
        ::pause();
        return 0;
    });
    wait_for_end(pipe);
    const auto holders = kept.set.holders();
    REQUIRE(holders.size() == 1);
    CHECK(holders[0].kept_for() == 0);
    CHECK_FALSE(sysv::end_keeper_of_ancestor(holders));
    end(liar);
}

TEST_CASE("nobody keeps for a process that is not there") {
    Kept kept;
    CHECK(error_of([&] { (void)kept.keep_for(4194304); }) ==
          "cannot hold for 4194304: no such process");
}
