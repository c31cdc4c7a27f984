#include "harness/peer.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace ipcbox;
using namespace ipcbox::test;

TEST_CASE("a host that refuses has a row with the reason") {
    Scenario scenario;
    const RefusedPort port;
    const auto host = fmt::format("127.0.0.1:{}", port.number());
    const auto result = scenario.run({"timecheck", host});
    CHECK(result.status == 1);
    CHECK(result.out.starts_with("localhost "));
    CHECK(result.out.ends_with(fmt::format("{:<24} {:>8} refused\n", host, "-")));
}
