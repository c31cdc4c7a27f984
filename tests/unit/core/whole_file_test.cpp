#include "core/whole_file.h"

#include "core/error.h"
#include "core/io.h"
#include "harness/scenario.h"

#include <climits>
#include <doctest/doctest.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

using namespace ipcbox;
using test::Scenario;

TEST_CASE("a file keeps what it has until the new one is committed") {
    const Scenario scenario;
    scenario.write_file("file", "old");
    WholeFile whole{scenario.path("file")};
    write_all(whole.fd(), "new", "file");
    CHECK(scenario.read_file("file") == "old");
    whole.commit();
    CHECK(scenario.read_file("file") == "new");
    CHECK(scenario.count_files() == 1);
}

TEST_CASE("a file that is not committed leaves nothing") {
    const Scenario scenario;
    { const WholeFile whole{scenario.path("file")}; }
    CHECK(scenario.count_files() == 0);
}

TEST_CASE("the new file has the mode of the one that it replaces") {
    const Scenario scenario;
    scenario.write_file("file", "old");
    constexpr mode_t mode = 0640;
    REQUIRE(::chmod(scenario.path("file").c_str(), mode) == 0);
    WholeFile whole{scenario.path("file")};
    whole.commit();
    struct stat status {};
    REQUIRE(::stat(scenario.path("file").c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == mode);
}

TEST_CASE("a symbolic link stays, and its target is replaced") {
    const Scenario scenario;
    scenario.write_file("target", "old");
    REQUIRE(::symlink("target", scenario.path("link").c_str()) == 0);
    WholeFile whole{scenario.path("link")};
    write_all(whole.fd(), "new", "link");
    whole.commit();
    CHECK(scenario.read_file("target") == "new");
    CHECK(std::filesystem::is_symlink(scenario.path("link")));
}

TEST_CASE("a file that is not regular is not replaced") {
    const Scenario scenario;
    CHECK_THROWS_AS(WholeFile{scenario.path("")}, Error);
    REQUIRE(::mkfifo(scenario.path("fifo").c_str(), 0600) == 0);
    CHECK_THROWS_AS(WholeFile{scenario.path("fifo")}, Error);
    REQUIRE(::symlink("loop", scenario.path("loop").c_str()) == 0);
    CHECK_THROWS_AS(WholeFile{scenario.path("loop")}, Error);
    CHECK(scenario.count_files() == 2);
}

TEST_CASE("a link is refused when the plan says so") {
    const Scenario scenario;
    REQUIRE(::symlink("target", scenario.path("link").c_str()) == 0);
    CHECK_THROWS_AS((WholeFile{scenario.path("link"), {.link = WholeFilePlan::Link::refuse}}),
                    Error);
    CHECK(scenario.count_files() == 1);
}

TEST_CASE("a file that comes meanwhile is kept, when the plan says so") {
    const Scenario scenario;
    WholeFile whole{scenario.path("file"), {.existing = WholeFilePlan::Existing::keep}};
    scenario.write_file("file", "theirs");
    CHECK_THROWS_AS(whole.commit(), Error);
    CHECK(scenario.read_file("file") == "theirs");
}

TEST_CASE("a file can have the longest name that there is, and none longer") {
    const Scenario scenario;
    const std::string longest(NAME_MAX, 'n');
    WholeFile whole{scenario.path(longest)};
    write_all(whole.fd(), "text", longest);
    whole.commit();
    CHECK(scenario.read_file(longest) == "text");
    CHECK_THROWS_AS(WholeFile{scenario.path(longest + "n")}, Error);
    CHECK(scenario.count_files() == 1);
}
