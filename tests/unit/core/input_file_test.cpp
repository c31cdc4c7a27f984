#include "core/input_file.h"

#include "core/error.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using ipcbox::test::Scenario;

TEST_CASE("a name is a file, and messages call - standard input") {
    Scenario scenario;
    scenario.write_file("list", "one\ntwo\n");
    CHECK(read_input("list", 100) == "one\ntwo\n");
    CHECK_THROWS_AS((void)read_input("list", 3), Error);
    CHECK_THROWS_WITH_AS((void)read_input("none", 100),
                         "cannot open none: No such file or directory", SysError);
    CHECK(input_name("list") == "list");
    CHECK(input_name("-") == "standard input");
}
