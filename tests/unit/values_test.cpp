#include "cli/values.h"

#include <doctest/doctest.h>
#include <stdexcept>

using namespace ipcbox;
using namespace std::chrono_literals;

TEST_CASE("durations have units, and are seconds without one") {
    CHECK(cli::parse_duration("0.25") == 250ms);
    CHECK(cli::parse_duration("500ms") == 500ms);
    CHECK(cli::parse_duration("10s") == 10s);
    CHECK(cli::parse_duration("2m") == 2min);
    CHECK(cli::parse_duration("1h") == 1h);
    CHECK(cli::parse_duration("1d") == 24h);
    CHECK(cli::parse_duration("99999999999d") == Duration::max());
    for (const char* wrong : {"", "s", "-1", "1x", "1 s", "1.2.3", "inf", "nan", "1e3"})
        CHECK_THROWS_AS((void)cli::parse_duration(wrong), std::invalid_argument);
}
