#include "core/event.h"

#include "core/poll.h"

#include <doctest/doctest.h>

using namespace ipcbox;

TEST_CASE("an event is readable from the first signal until it is cleared") {
    const Event event;
    const auto is_readable = [&event] {
        return wait_for(event.fd(), POLLIN, Deadline::after(Duration::zero()));
    };
    CHECK(!is_readable());
    CHECK(!event.clear());
    event.signal();
    event.signal();
    CHECK(is_readable());
    CHECK(event.clear());
    CHECK(!is_readable());
    CHECK(!event.clear());
}
