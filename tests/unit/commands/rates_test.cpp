#include "commands/rates.h"

#include "core/fd.h"

#include <doctest/doctest.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::commands;

TEST_CASE("a command runs as often as its rate says in a window, and then one by one") {
    const Rate rate{2, Duration{100}, {}};
    std::int64_t moment = 0;
    const auto runs_at = [&](std::int64_t now) {
        const auto next = after_one_more(moment, rate, now);
        moment = next.value_or(moment);
        return next.has_value();
    };
    CHECK(runs_at(1000));
    CHECK(runs_at(1000));
    CHECK_FALSE(runs_at(1000));
    CHECK_FALSE(runs_at(1049));
    CHECK(runs_at(1050));
    CHECK_FALSE(runs_at(1051));
    CHECK(runs_at(2000));
    CHECK(runs_at(2000));
    CHECK_FALSE(runs_at(2000));
}

TEST_CASE("two processes share a rate, and each command has its own") {
    const Fd memory = Fd::adopt(::memfd_create("rates", MFD_CLOEXEC));
    REQUIRE(::ftruncate(memory.get(), Rates::size) == 0);
    const Rate rate{2, std::chrono::hours{1}, {}};
    Rates one{memory.get()};
    Rates other{memory.get()};
    CHECK(one.allows(0, rate));
    CHECK(other.allows(0, rate));
    CHECK_FALSE(one.allows(0, rate));
    CHECK(other.allows(999, rate));
}
