#include "front/ipc/logout.h"

#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <string>

using namespace ipcbox;
using namespace ipcbox::test;

TEST_CASE("the last RemoveIPC of a configuration counts") {
    CHECK(front::removes_ipc("", true));
    CHECK_FALSE(front::removes_ipc("", false));
    CHECK_FALSE(front::removes_ipc("[Login]\nRemoveIPC=no\n", true));
    CHECK(front::removes_ipc("RemoveIPC=no\n  RemoveIPC=yes\n", true));
    CHECK(front::removes_ipc("#RemoveIPC=no\n", true));
}

TEST_CASE("objects of people go at logout, unless logind is told otherwise") {
    Scenario scenario;
    const std::string root = scenario.path("root");
    constexpr uid_t person = 123'456;
    CHECK_FALSE(front::goes_at_logout(person, root)); // logind does not run
    REQUIRE(scenario
                .shell("mkdir -p root/run/systemd/users root/var/lib/systemd/linger "
                       "root/etc/systemd/logind.conf.d root/usr/lib/systemd/logind.conf.d")
                .status == 0);
    CHECK(front::goes_at_logout(person, root));
    CHECK_FALSE(front::goes_at_logout(0, root));
    scenario.write_file("root/etc/systemd/logind.conf", "[Login]\nRemoveIPC=no\n");
    CHECK_FALSE(front::goes_at_logout(person, root));
    scenario.write_file("root/usr/lib/systemd/logind.conf.d/10.conf", "RemoveIPC=yes\n");
    CHECK(front::goes_at_logout(person, root));
    scenario.write_file("root/etc/systemd/logind.conf.d/10.conf", "\n"); // hides the other file
    CHECK_FALSE(front::goes_at_logout(person, root));
    scenario.write_file("root/etc/systemd/logind.conf.d/10.conf", "RemoveIPC=yes\n");
    CHECK(front::goes_at_logout(person, root));
    scenario.write_file("root/var/lib/systemd/linger/123456", "");
    CHECK_FALSE(front::goes_at_logout(person, root));
}
