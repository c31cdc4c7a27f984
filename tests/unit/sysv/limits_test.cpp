#include "sysv/limits.h"

#include "sysv/kernel_objects.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <sys/sem.h>

using namespace ipcbox;

TEST_CASE("each limit has its maximum, and a new set counts") {
    const auto sets = [] {
        const auto limits = sysv::read_limits();
        for (const auto& limit : limits)
            CHECK(limit.max > 0);
        const auto found = std::ranges::find(limits, "semmni", &sysv::Limit::name);
        REQUIRE(found != limits.end());
        return found->used;
    };
    const int id = ::semget(IPC_PRIVATE, 1, 0600);
    REQUIRE(id >= 0);
    CHECK(sets() >= 1);
    CHECK(sysv::remove_object(sysv::Kind::semaphores, id));
}
