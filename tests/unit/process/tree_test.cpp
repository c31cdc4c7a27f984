#include "process/tree.h"

#include "core/process_stat.h"
#include "harness/scenario.h"
#include "process/activity.h"

#include <array>
#include <doctest/doctest.h>
#include <unistd.h>
#include <vector>

using namespace ipcbox;
using namespace ipcbox::process;

TEST_CASE("descendants are children and theirs, in other sessions too") {
    test::Scenario scenario;
    auto shell = scenario.start_shell("setsid sh -c 'sleep 1000 & echo ready; wait' & wait");
    REQUIRE(shell.line() == "ready");
    const auto children = process::children_of(shell.pid());
    REQUIRE(children.size() == 1);
    const auto all = descendants_of(shell.pid());
    REQUIRE(all.size() == 2);
    CHECK(all[0] == children[0]);
    CHECK(process::children_of(all[0]) == std::vector{all[1]});
    const auto activity = activity_below(::getpid());
    CHECK(activity.processes > 0);
    CHECK(activity.bytes > 0);
}

TEST_CASE("a process that is not there has no children, no threads and no root") {
    test::Scenario scenario;
    auto shell = scenario.start_shell("echo ready; read line");
    REQUIRE(shell.line() == "ready");
    CHECK(process::children_of(shell.pid()).empty());
    CHECK(threads_of(shell.pid()) == std::vector{shell.pid()});
    constexpr pid_t nobody = 1 << 22; // above any pid: proc(5), pid_max
    CHECK(process::children_of(nobody).empty());
    CHECK(threads_of(nobody).empty());
    CHECK(descendants_of(nobody).empty());
    const auto roots = roots_of(std::array{shell.pid(), nobody});
    REQUIRE(roots.size() == 1);
    CHECK(roots[0].pid == shell.pid());
    CHECK(roots[0].start_ticks == read_process_stat(shell.pid())->start_ticks);
}
