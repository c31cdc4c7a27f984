#include "core/path.h"

#include "core/error.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ipcbox;
using test::Scenario;

TEST_CASE("a path has a name, and a directory in which the name stands") {
    CHECK(name_of("a/b") == "b");
    CHECK(name_of("b") == "b");
    CHECK(name_of("/b") == "b");
    CHECK(name_of("a/").empty());
    CHECK(directory_of("a/b") == "a");
    CHECK(directory_of("a/b/c") == "a/b");
    CHECK(directory_of("/b") == "/");
    CHECK(directory_of("b") == ".");
    CHECK(directory_of("a/") == "a");
}

TEST_CASE("a path is made absolute from the working directory") {
    const Scenario scenario;
    CHECK(absolute_path("/a/../b") == "/a/../b");
    CHECK(absolute_path("a") == scenario.path("a"));
    REQUIRE(::chdir("/") == 0);
    CHECK(absolute_path("a") == "/a");
}

TEST_CASE("a link is read, and any other file is not a link") {
    const Scenario scenario;
    const auto link = scenario.path("link");
    REQUIRE(::symlink("to/nowhere", link.c_str()) == 0);
    CHECK(read_link(link) == "to/nowhere");
    scenario.write_file("file", "");
    CHECK_FALSE(read_link(scenario.path("file")));
    CHECK_FALSE(read_link(scenario.path("missing")));
}

TEST_CASE("missing directories are made, and those that exist are left alone") {
    const Scenario scenario;
    const auto deep = scenario.path("one/two/three");
    make_directories(deep);
    make_directories(deep);
    make_directories(deep + "/");
    struct stat status {};
    REQUIRE(::stat(deep.c_str(), &status) == 0);
    CHECK(S_ISDIR(status.st_mode));
    scenario.write_file("file", "");
    CHECK_THROWS_AS(make_directories(scenario.path("file")), SysError);
    CHECK_THROWS_AS(make_directories(scenario.path("file/below")), SysError);
}
