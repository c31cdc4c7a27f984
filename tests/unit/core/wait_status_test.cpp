#include "core/wait_status.h"

#include <doctest/doctest.h>

using namespace ipcbox;

TEST_CASE("a raw wait status says how a process ended, stopped or went on") {
    CHECK(raw_wait_status_text(0) == "exit 0");
    CHECK(raw_wait_status_text(28416) == "exit 111");
    CHECK(raw_wait_status_text(9) == "killed by KILL");
    CHECK(raw_wait_status_text(128 + 11) == "killed by SEGV (core dumped)");
    CHECK(raw_wait_status_text(0x147f) == "stopped by TSTP");
    CHECK(raw_wait_status_text(0xffff) == "continued");
    for (const int status : {-1, 0x10000, 0x0109})
        CHECK_FALSE(raw_wait_status_text(status));
}
