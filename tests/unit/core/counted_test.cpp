#include "core/counted.h"

#include <doctest/doctest.h>

using namespace ipcbox;

TEST_CASE("a noun is singular only after 1") {
    CHECK(counted(0, "slot") == "0 slots");
    CHECK(counted(1, "slot") == "1 slot");
    CHECK(counted(12, "slot") == "12 slots");
    CHECK(counted(1, "process waits", "processes wait") == "1 process waits");
    CHECK(counted(2, "process waits", "processes wait") == "2 processes wait");
}
