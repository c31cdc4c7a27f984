#include "harness/peer.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::test;

TEST_CASE("prints what the server says") {
    Scenario scenario;
    const Peer server{[](const Fd& client) { say(client, "Tue Nov 24 02:55:01 2026\r\n"); }};
    const auto result = scenario.run({"daytime", server.text()});
    CHECK(result.status == 0);
    CHECK(result.out == "Tue Nov 24 02:55:01 2026\n");
}
