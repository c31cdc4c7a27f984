#include "core/deadline.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace std::chrono_literals;

TEST_CASE("the deadline 'never' does not pass") {
    const auto never = Deadline::never();
    CHECK(never.is_never());
    CHECK_FALSE(never.passed());
    CHECK_FALSE(never.remaining());
    CHECK(Timeout{never}.get() == nullptr);
    CHECK(Deadline::after_or_never(std::nullopt) == never);
    CHECK(Deadline::after(Duration::max()) == never);
    CHECK(Deadline::after(Duration::max() - 1ns) == never);
}

TEST_CASE("a deadline passes once, and what remains is never negative") {
    const auto at_once = Deadline::after(0s);
    CHECK(at_once.passed());
    CHECK(at_once.remaining() == 0ns);
    CHECK(Deadline::after(-1h).passed());
    CHECK(Deadline::after(-1h) >= at_once);
    const Timeout timeout{at_once};
    REQUIRE(timeout.get() != nullptr);
    CHECK(timeout.get()->tv_sec == 0);
    CHECK(timeout.get()->tv_nsec == 0);

    const auto later = Deadline::after_or_never(1h);
    CHECK(later > at_once);
    CHECK(later < Deadline::never());
    CHECK_FALSE(later.passed());
    CHECK(*later.remaining() <= 1h);
    CHECK(*later.remaining() > 59min);
}

TEST_CASE("a timeout has whole seconds and the rest") {
    const auto deadline = Deadline::after(1h + 500ms);
    const auto before = *deadline.remaining();
    const Timeout timeout{deadline};
    const auto after = *deadline.remaining();
    const auto& time = *timeout.get();
    CHECK(time.tv_nsec >= 0);
    CHECK(time.tv_nsec < 1'000'000'000);
    const auto whole = std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
    CHECK(whole <= before);
    CHECK(whole >= after);
}

TEST_CASE("a duration in seconds has a fraction") {
    CHECK(in_seconds(std::chrono::milliseconds{1250}) == 1.25);
    CHECK(in_seconds(-std::chrono::hours{1}) == -3600);
    CHECK(in_seconds(Duration::zero()) == 0);
}
