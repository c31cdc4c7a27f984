#include "core/side_file.h"

#include "core/error.h"
#include "harness/scenario.h"

#include <cerrno>
#include <doctest/doctest.h>
#include <fcntl.h>

using namespace ipcbox;
using namespace ipcbox::test;

TEST_CASE("a side file gets all texts, after what it has or instead of that") {
    Scenario scenario;
    scenario.write_file("log", "old\n");
    SideFile continued{"log", O_APPEND};
    continued.write("one\n");
    continued.write("two\n");
    CHECK(continued);
    continued.close();
    CHECK_FALSE(continued);
    CHECK(continued.failure().empty());
    CHECK(scenario.read_file("log") == "old\none\ntwo\n");
    SideFile emptied{"log", O_TRUNC};
    CHECK(scenario.read_file("log").empty());
}

TEST_CASE("no side file takes any text") {
    SideFile none;
    none.write("text");
    none.close();
    CHECK_FALSE(none);
    CHECK(none.failure().empty());
}

TEST_CASE("a side file that cannot be written says why, and takes no more") {
    SideFile full{"/dev/full", O_APPEND};
    full.write("text");
    CHECK_FALSE(full);
    CHECK(full.failure() == "cannot write /dev/full: No space left on device");
    full.write("more");
    full.close();
    CHECK(full.failure() == "cannot write /dev/full: No space left on device");
    CHECK(full.fd() == -1);
    CHECK_THROWS_WITH_AS(SideFile("/dev/null/log", O_APPEND),
                         "cannot open /dev/null/log: Not a directory", SysError);
}
