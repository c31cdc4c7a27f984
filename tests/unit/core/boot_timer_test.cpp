#include "core/boot_timer.h"

#include "core/poll.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace std::chrono_literals;

namespace {

bool is_due(const BootTimer& timer, Duration patience) {
    return wait_for(timer.fd(), POLLIN, Deadline::after(patience));
}

} // namespace

TEST_CASE("a timer is readable from its time on, and no more once it has another") {
    BootTimer timer;
    CHECK(!is_due(timer, 0s));
    timer.set(BootClock::now() + 1ms);
    CHECK(is_due(timer, 30s));
    timer.set(BootClock::now() + 1h);
    CHECK(!is_due(timer, 0s));
    timer.set(BootClock::now() - 1h);
    CHECK(is_due(timer, 30s));
    timer.set(BootTime{});
    CHECK(is_due(timer, 30s));
    timer.set(std::nullopt);
    CHECK(!is_due(timer, 0s));
}

TEST_CASE("the clock goes forward") {
    const auto before = BootClock::now();
    CHECK(BootClock::now() >= before);
    CHECK(before > BootTime{});
}
