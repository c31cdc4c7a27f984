#include "dialog/redirections.h"

#include "core/error.h"
#include "core/io.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::dialog;

TEST_CASE("an output file is emptied, or added to") {
    const test::Scenario scenario;
    scenario.write_file("out", "old");
    { const Redirections files{{.output = scenario.path("out"), .appends = true}}; }
    CHECK(scenario.read_file("out") == "old");
    const Redirections files{{.output = scenario.path("out")}};
    CHECK(scenario.read_file("out").empty());
    write_all(files.streams().output, "new", "out");
    CHECK(scenario.read_file("out") == "new");
    CHECK(files.streams().input == SpawnPlan::same);
}

TEST_CASE("a file that is read, or that a command names, is not emptied") {
    const test::Scenario scenario;
    const auto path = scenario.path("file");
    scenario.write_file("file", "text");
    CHECK_THROWS_AS((Redirections{{.input = path, .output = path}}), Error);
    CHECK_THROWS_AS((Redirections{{.output = path, .commands = {"cat", path}}}), Error);
    CHECK(scenario.read_file("file") == "text");
    CHECK_NOTHROW((Redirections{{.output = path, .appends = true, .commands = {"cat", path}}}));
    CHECK_NOTHROW((Redirections{{.output = "/dev/null", .commands = {"cat", "/dev/null"}}}));
}
