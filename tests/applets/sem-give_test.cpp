#include "harness/scenario.h"

#include <doctest/doctest.h>

using namespace ipcbox::test;

TEST_CASE("gives what was taken, once") {
    Scenario scenario;
    REQUIRE(scenario.run({"sem-create", scenario.key()}).status == 0);
    REQUIRE(scenario.run({"sem-take", scenario.key()}).status == 0);
    CHECK(scenario.run({"sem-give", scenario.key()}).status == 0);
    const auto again = scenario.run({"sem-give", scenario.key()});
    CHECK(again.status == 1);
    CHECK(again.err == "sem-give: " + scenario.key() + ": not taken\n");
}
