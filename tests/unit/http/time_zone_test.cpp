#include "http/time_zone.h"

#include <doctest/doctest.h>

using namespace ipcbox::http;
using namespace std::chrono_literals;

TEST_CASE("a time zone is found by its name in any case") {
    REQUIRE(find_time_zone("CEST") != nullptr);
    CHECK(find_time_zone("CEST")->ahead[0] == 2h);
    CHECK(find_time_zone("cest") == find_time_zone("CEST"));
    CHECK(find_time_zone("Z")->ahead[0] == 0h);
    for (const auto* const unknown : {"", "CES", "CESTX", "+0200"})
        CHECK(find_time_zone(unknown) == nullptr);
}

TEST_CASE("a name with several meanings has them all, that of RFC 5322 or of Europe first") {
    const auto* const cst = find_time_zone("CST");
    REQUIRE(cst != nullptr);
    CHECK(cst->meanings == 3);
    CHECK(cst->ahead == std::array<std::chrono::minutes, 3>{-6h, 8h, -5h});
    CHECK(find_time_zone("IST")->ahead[0] == 1h);
    CHECK(find_time_zone("EST")->meanings == 1);
}
