#include "sysv/wait_graph.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using sysv::User;

namespace {

// A set whose tokens are all taken by HOLDERS.
sysv::Entry set_of(int id, const std::vector<pid_t>& holders, User::Does does = User::Does::holds) {
    sysv::Entry entry;
    entry.object.id = id;
    entry.slots = static_cast<int>(holders.size());
    entry.taken = *entry.slots;
    for (const pid_t pid : holders)
        entry.users.push_back({does, pid, {}, {}});
    return entry;
}

sysv::Waiter waiter(pid_t pid, int set) {
    return {pid, sysv::Kind::semaphores, set, true};
}

} // namespace

TEST_CASE("two that wait for each other are a deadlock, told once") {
    const std::vector entries{set_of(1, {10}), set_of(2, {20})};
    sysv::Sight<sysv::Waiter> sight;
    sight.users = {waiter(10, 2), waiter(20, 1)};
    const auto found = sysv::find_deadlocks(entries, sight);
    REQUIRE(found.size() == 1);
    REQUIRE(found[0].size() == 2);
    CHECK(found[0][0].waiter == 10);
    CHECK(found[0][0].waits_for == &entries[1]);
    CHECK(found[0][0].holder == 20);
    CHECK(found[0][1].waiter == 20);
    CHECK(found[0][1].holder == 10);
}

TEST_CASE("a holder that waits for its child is as stuck as the child") {
    const std::vector entries{set_of(1, {10}), set_of(2, {20})};
    sysv::Sight<sysv::Waiter> sight;
    sight.users = {waiter(11, 2), waiter(21, 1)};
    sight.processes = {{10, {1, "sh", true, false}},
                       {11, {10, "sem-take", false, false}},
                       {20, {1, "sh", true, false}},
                       {21, {20, "sem-take", false, false}}};
    const auto found = sysv::find_deadlocks(entries, sight);
    REQUIRE(found.size() == 1);
    CHECK(found[0].size() == 2);
    SUBCASE("unless it has another child, which may go on") {
        sight.processes.emplace(12, sysv::Witness{10, "work", false, false});
        CHECK(sysv::find_deadlocks(entries, sight).empty());
    }
    SUBCASE("unless it does not wait") {
        sight.processes.at(20).waits_for_child = false;
        CHECK(sysv::find_deadlocks(entries, sight).empty());
    }
}

TEST_CASE("a chain that ends with a process that may go on is not a deadlock") {
    const std::vector entries{set_of(1, {10}), set_of(2, {20})};
    sysv::Sight<sysv::Waiter> sight;
    sight.users = {waiter(20, 1), waiter(30, 2)};
    CHECK(sysv::find_deadlocks(entries, sight).empty());
}

TEST_CASE("a token that another holder, or anybody, may give back is worth waiting for") {
    sysv::Sight<sysv::Waiter> sight;
    sight.users = {waiter(10, 2), waiter(20, 1)};
    CHECK(sysv::find_deadlocks({set_of(1, {10, 30}), set_of(2, {20})}, sight).empty());
    CHECK(
        sysv::find_deadlocks({set_of(1, {10}), set_of(2, {20}, User::Does::took)}, sight).empty());
    CHECK(sysv::find_deadlocks({set_of(1, {10}), set_of(2, {0})}, sight).empty());
}

TEST_CASE("three in a circle and one behind it are one deadlock of three") {
    const std::vector entries{set_of(1, {10}), set_of(2, {20}), set_of(3, {30})};
    sysv::Sight<sysv::Waiter> sight;
    sight.users = {waiter(5, 1), waiter(10, 2), waiter(20, 3), waiter(30, 1)};
    const auto found = sysv::find_deadlocks(entries, sight);
    REQUIRE(found.size() == 1);
    CHECK(found[0].size() == 3);
    CHECK(found[0][0].waiter == 10);
}
