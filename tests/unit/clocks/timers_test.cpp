#include "clocks/timers.h"

#include <chrono>
#include <doctest/doctest.h>

using namespace ipcbox;
using namespace std::chrono_literals;

namespace {

const auto passed = Deadline::after(Duration::zero());
const auto distant = Deadline::after(1h);

} // namespace

TEST_CASE("a timer is due once its time has come, and only once") {
    clocks::Timers timers{2};
    CHECK(timers.next().is_never());
    CHECK_FALSE(timers.take_due());
    timers.set(0, distant);
    CHECK_FALSE(timers.take_due());
    timers.set(1, passed);
    CHECK(timers.next().passed());
    CHECK(timers.take_due() == 1U);
    CHECK_FALSE(timers.take_due());
    CHECK_FALSE(timers.next().passed());
}

TEST_CASE("a timer that is set again has only its new time") {
    clocks::Timers timers{1};
    timers.set(0, passed);
    timers.set(0, distant);
    CHECK_FALSE(timers.take_due());
    timers.set(0, passed);
    CHECK(timers.take_due() == 0U);
    CHECK_FALSE(timers.take_due());
}

TEST_CASE("a cancelled timer is never due, and hides no other") {
    clocks::Timers timers{2};
    timers.set(0, passed);
    timers.set(1, passed);
    timers.cancel(0);
    CHECK(timers.take_due() == 1U);
    CHECK_FALSE(timers.take_due());
    CHECK(timers.next().is_never());
}
