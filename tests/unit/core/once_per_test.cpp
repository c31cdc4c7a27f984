#include "core/once_per.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace std::chrono_literals;

TEST_CASE("an action is due once in its period") {
    OncePer hour{1h};
    CHECK(hour.is_due());
    CHECK_FALSE(hour.is_due());
    CHECK_FALSE(hour.is_due());
}

TEST_CASE("an action is due again when the period has passed") {
    OncePer instant{0s};
    CHECK(instant.is_due());
    CHECK(instant.is_due());
}
