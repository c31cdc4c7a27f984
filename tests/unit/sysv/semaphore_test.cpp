#include "sysv/semaphore.h"

#include "core/child.h"
#include "core/error.h"
#include "harness/scenario.h"

#include <array>
#include <doctest/doctest.h>
#include <unistd.h>

using namespace ipcbox;
using namespace std::chrono_literals;
using enum sysv::SemaphoreSet::Outcome;

namespace {

sembuf operation(unsigned short semaphore, short amount, short flags = 0) {
    return {semaphore, amount, flags};
}

} // namespace

TEST_CASE("a set is made once, found and removed") {
    const test::Scenario scenario;
    const auto key = sysv::Key::parse(scenario.key());
    CHECK_FALSE(sysv::SemaphoreSet::find(key));
    auto set = sysv::SemaphoreSet::create(key, 3, 0640);
    REQUIRE(set);
    CHECK(set->count() == 3);
    CHECK(set->values() == std::vector<unsigned short>{0, 0, 0});
    CHECK(set->name() == scenario.key());
    CHECK_FALSE(sysv::SemaphoreSet::create(key, 3, 0640));
    semid_ds status{};
    REQUIRE(::semctl(set->id(), 0, IPC_STAT, &status) == 0);
    CHECK((status.sem_perm.mode & 0777U) == 0640);
    CHECK(sysv::SemaphoreSet::find(key)->id() == set->id());
    set->remove();
    CHECK_FALSE(sysv::SemaphoreSet::find(key));
    CHECK_THROWS_WITH_AS(
        (void)set->values(),
        ("cannot read semaphore set " + scenario.key() + ": it was removed").c_str(), Error);
    CHECK_THROWS_AS((void)set->operate(std::array{operation(0, 1)}), Error);
}

TEST_CASE("all operations are done or none, until the deadline") {
    const test::Scenario scenario;
    auto set = sysv::SemaphoreSet::create(sysv::Key::parse(scenario.key()), 2, 0600);
    CHECK(set->operate(std::array{operation(0, 1), operation(1, 2)}) == done);
    CHECK(set->values() == std::vector<unsigned short>{1, 2});
    CHECK(set->last_process(1) == ::getpid());
    CHECK(set->last_operation() > std::chrono::system_clock::now() - 1min);
    CHECK(set->operate(std::array{operation(1, -1), operation(0, -2, IPC_NOWAIT)}) == would_wait);
    CHECK(set->operate(std::array{operation(1, -1), operation(0, 0)}, Deadline::after(1ms)) ==
          would_wait);
    CHECK(set->values() == std::vector<unsigned short>{1, 2});
}

TEST_CASE("a value at its maximum and a set that is too large are reported in words") {
    const test::Scenario scenario;
    const auto key = sysv::Key::parse(scenario.key());
    auto set = sysv::SemaphoreSet::create(key, 1, 0600);
    constexpr short most = 32767;
    CHECK(set->operate(std::array{operation(0, most)}) == done);
    CHECK_THROWS_WITH_AS(
        set->operate(std::array{operation(0, 1)}),
        ("cannot use semaphore set " + scenario.key() + ": its value is at its maximum").c_str(),
        Error);
    const auto other = sysv::Key::parse(scenario.key(1));
    CHECK_THROWS_WITH_AS((void)sysv::SemaphoreSet::create(other, 1000000, 0600),
                         ("cannot create semaphore set " + scenario.key(1) +
                          " of 1000000 semaphores: the system's limit for one set is smaller "
                          "(SEMMSL, the 1st number of sysctl kernel.sem)")
                             .c_str(),
                         Error);
}

TEST_CASE("those that wait for a semaphore are counted") {
    const test::Scenario scenario;
    auto set = sysv::SemaphoreSet::create(sysv::Key::parse(scenario.key()), 2, 0600);
    REQUIRE(set);
    CHECK(set->operate(std::array{operation(1, 1)}) == done);
    const auto waiter = [&](sembuf what) {
        return fork_child([&, what] { return set->operate(std::array{what}) == done ? 0 : 1; });
    };
    const Child grows = waiter(operation(0, -1));
    const Child empties = waiter(operation(1, 0));
    CHECK(test::eventually([&] { return set->waiting(0, 0) == 1 && set->waiting(1, 1) == 1; }));
    set->remove(); // both waits end
}
