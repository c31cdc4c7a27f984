#include "process/dispositions.h"

#include <doctest/doctest.h>
#include <stdexcept>

using namespace ipcbox::process;

TEST_CASE("signals are listed with commas, and all is all that can be handled") {
    CHECK(parse_signals("TERM") == std::vector{SIGTERM});
    CHECK(parse_signals("TERM,sigint,1") == std::vector{SIGTERM, SIGINT, SIGHUP});
    const auto all = parse_signals("all");
    CHECK(all.size() == static_cast<std::size_t>(29 + SIGRTMAX - SIGRTMIN + 1));
    for (const char* text : {"", ",", "TERM,", "KILL", "STOP", "NONE", "TERM INT"})
        CHECK_THROWS_AS((void)parse_signals(text), std::invalid_argument);
}
