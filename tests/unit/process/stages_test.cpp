#include "process/stages.h"

#include "core/pidfd.h"
#include "harness/scenario.h"

#include <csignal>
#include <doctest/doctest.h>
#include <stdexcept>

using namespace ipcbox;
using namespace ipcbox::process;
using namespace std::chrono_literals;

namespace {

// How STAGES end a shell that first runs SCRIPT.
Ending ending_of(const std::string& script, const Stages& stages) {
    test::Scenario scenario;
    auto shell = scenario.start_shell(script + "; echo ready; while :; do read line; done");
    REQUIRE(shell.line() == "ready");
    std::vector<Fd> handles;
    handles.push_back(*open_process(shell.pid()));
    std::size_t told = 0;
    auto endings = end_in_stages(handles, stages, [&](std::size_t, const Ending&) { ++told; });
    REQUIRE(endings.size() == 1);
    CHECK(told == (endings[0].has_ended ? 1 : 0));
    return endings[0];
}

} // namespace

TEST_CASE("stages are written with commas or as start-stop-daemon has them") {
    CHECK(parse_stages("KILL") == Stages{{SIGKILL}});
    CHECK(parse_stages("TERM:10s,sigint:3s,9") == Stages{{SIGTERM, 10s}, {SIGINT, 3s}, {SIGKILL}});
    CHECK(parse_stages("TERM/10/KILL/5") == Stages{{SIGTERM, 10s}, {SIGKILL, 5s}});
    CHECK(parse_stages("TERM/10/KILL") == Stages{{SIGTERM, 10s}, {SIGKILL}});
    CHECK(parse_stages("HUP:1h30m,KILL:0") == Stages{{SIGHUP, 90min}, {SIGKILL, 0s}});
    CHECK(stages_text(parse_stages("TERM:90s,KILL")) == "TERM:1m30s,KILL");
}

TEST_CASE("invalid stages are refused") {
    for (const char* text : {"", ",", "TERM,KILL", "TERM:", "TERM:x,KILL", "NONE:1s", "TERM/x/KILL",
                             "TERM//KILL", "TERM:1s,", "/"})
        CHECK_THROWS_AS((void)parse_stages(text), std::invalid_argument);
}

TEST_CASE("a process that listens ends in the first stage") {
    const auto ending = ending_of(":", {{SIGTERM, 30s}, {SIGKILL}});
    CHECK(ending.has_ended);
    CHECK(ending.signal == SIGTERM);
}

TEST_CASE("a process that ignores TERM ends by KILL") {
    const auto ending = ending_of("trap '' TERM", {{SIGTERM, 1ms}, {SIGKILL}});
    CHECK(ending.has_ended);
    CHECK(ending.signal == SIGKILL);
    CHECK(ending.after >= 1ms);
}

TEST_CASE("a process that outlives all stages has not ended") {
    const auto ending = ending_of("trap '' TERM", {{SIGTERM, 1ms}});
    CHECK_FALSE(ending.has_ended);
    CHECK(ending.signal == 0);
}
