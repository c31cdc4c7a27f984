#include "server/access_file.h"

#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace ipcbox;
using test::Scenario;

namespace {

const auto client = net::Address::parse_ip("192.0.2.1", 1).value();

bool is_allowed(server::AccessFile& file) {
    const auto* rule = file.current().match(client);
    return rule != nullptr && rule->allow;
}

// The rules must be read again after changes that follow each other closely, and after changes to
// an older date.
void make_old(const std::string& path, time_t seconds) {
    const timespec times[] = {{seconds, 0}, {seconds, 0}};
    REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

} // namespace

TEST_CASE("the rules are those of the file, as it is now") {
    const Scenario scenario;
    const auto path = scenario.path("rules");
    scenario.write_file("rules", "allow all");
    server::AccessFile file{path};
    for (int times = 0; times < 100; ++times) {
        CHECK(is_allowed(file));
        scenario.write_file("rules", "deny  all"); // has the same size
        CHECK_FALSE(is_allowed(file));
        scenario.write_file("rules", "allow all");
    }
    CHECK(is_allowed(file));
    // Another file takes its place.
    scenario.write_file("new", "deny  all");
    make_old(scenario.path("new"), 1);
    REQUIRE(::rename(scenario.path("new").c_str(), path.c_str()) == 0);
    CHECK_FALSE(is_allowed(file));
    CHECK_FALSE(file.take_error());
}

TEST_CASE("while the file is wrong the old rules stay in force") {
    const Scenario scenario;
    const auto path = scenario.path("rules");
    scenario.write_file("rules", "allow all");
    server::AccessFile file{path};
    scenario.write_file("rules", "deny all\nwrong\n");
    for (int times = 0; times < 3; ++times)
        CHECK(is_allowed(file));
    CHECK(file.take_error() == path + ":2:1: expected allow or deny");
    CHECK(is_allowed(file));
    CHECK_FALSE(file.take_error());
    scenario.write_file("rules", "wronger");
    CHECK(is_allowed(file));
    CHECK(file.take_error() == path + ":1:1: expected allow or deny");
    scenario.write_file("rules", "deny all");
    CHECK_FALSE(is_allowed(file));
    CHECK_FALSE(file.take_error());
    // A mistake is reported again when it is made again.
    scenario.write_file("rules", "wronger");
    CHECK_FALSE(is_allowed(file));
    CHECK(file.take_error());
}

TEST_CASE("the old rules stay when the file vanishes") {
    const Scenario scenario;
    const auto path = scenario.path("rules");
    scenario.write_file("rules", "allow all");
    server::AccessFile file{path};
    REQUIRE(::unlink(path.c_str()) == 0);
    CHECK(is_allowed(file));
    CHECK(is_allowed(file));
    CHECK(file.take_error() == "cannot inspect " + path + ": No such file or directory");
    CHECK(is_allowed(file));
    CHECK_FALSE(file.take_error());
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    CHECK(is_allowed(file));
    CHECK(file.take_error() == "cannot read the rules in " + path + ": it is not a regular file");
    REQUIRE(::unlink(path.c_str()) == 0);
    scenario.write_file("rules", "deny all");
    CHECK_FALSE(is_allowed(file));
    CHECK_FALSE(file.take_error());
}

TEST_CASE("an error that is over is not reported") {
    const Scenario scenario;
    const auto path = scenario.path("rules");
    scenario.write_file("rules", "allow all");
    server::AccessFile file{path};
    scenario.write_file("rules", "wrong");
    CHECK(is_allowed(file));
    scenario.write_file("rules", "deny all");
    CHECK_FALSE(is_allowed(file));
    CHECK_FALSE(file.take_error());
}

TEST_CASE("a file that cannot be loaded at the start is an error") {
    const Scenario scenario;
    scenario.write_file("rules", "wrong");
    CHECK_THROWS_AS(server::AccessFile{scenario.path("rules")}, server::RulesError);
    CHECK_THROWS_AS(server::AccessFile{scenario.path("none")}, SysError);
    CHECK_THROWS_AS(server::AccessFile{scenario.path(".")}, Error);
    scenario.write_file("large", std::string(4 * 1024 * 1024 + 1, '#'));
    CHECK_THROWS_AS(server::AccessFile{scenario.path("large")}, Error);
    scenario.write_file("large", std::string(4 * 1024 * 1024, '#'));
    CHECK_NOTHROW(server::AccessFile{scenario.path("large")});
}
