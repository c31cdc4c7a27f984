#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fmt/core.h>

using namespace ipcbox::test;

namespace {

// Makes a segment that contains TEXT.
void make_segment(Scenario& scenario, const std::string& key, const std::string& text) {
    const auto size = fmt::format("{}", text.size());
    REQUIRE(scenario.run({"shm-write", "--create", "--size", size, key}, text).status == 0);
}

} // namespace

TEST_CASE("shm-read copies a segment, or a part of it") {
    Scenario scenario;
    make_segment(scenario, scenario.key(), "0123456789");
    CHECK(scenario.run({"shm-read", scenario.key()}).out == "0123456789");
    CHECK(scenario.run({"shm-read", scenario.key(), "-o", "3"}).out == "3456789");
    CHECK(scenario.run({"shm-read", scenario.key(), "-o", "3", "-n", "4"}).out == "3456");
    CHECK(scenario.run({"shm-read", scenario.key(), "-o", "10"}).out.empty());
}

TEST_CASE("bounds are checked before anything is written") {
    Scenario scenario;
    make_segment(scenario, scenario.key(), "0123456789");
    const auto beyond = scenario.run({"shm-read", scenario.key(), "-o", "11"});
    CHECK(beyond.status == 1);
    CHECK(beyond.out.empty());
    CHECK(beyond.err == "shm-read: offset 11 is beyond the segment's 10 bytes\n");
    const auto more = scenario.run({"shm-read", scenario.key(), "-o", "8", "-n", "3"});
    CHECK(more.status == 1);
    CHECK(more.out.empty());
    CHECK(more.err == fmt::format("shm-read: cannot read 3 bytes at 8 of shared memory {}: it has "
                                  "10\n",
                                  scenario.key()));
}

TEST_CASE("a segment is found by every form of a key, and by its id") {
    Scenario scenario;
    scenario.write_file("file", "");
    const auto hex = fmt::format("{:#x}", std::stoi(scenario.key(1)));
    for (const auto& key : {scenario.key(), hex, std::string{"./file"}, scenario.name()}) {
        CAPTURE(key);
        make_segment(scenario, key, "text of " + key);
        CHECK(scenario.run({"shm-read", key}).out == "text of " + key);
    }
    const auto id =
        scenario.shell("ipcs -m | awk -v key=$1 '$1 == key { printf \"%s\", $2 }'", {hex});
    CHECK(scenario.run({"shm-read", "--id", id.out}).out == "text of " + hex);
    CHECK(scenario
              .shell("ipcrm -m $(ipcs -m | awk -v key=$(printf 0x%08x $(perl -e "
                     "'use IPC::SysV; print IPC::SysV::ftok(\"./file\")')) "
                     "'$1 == key { print $2 }')")
              .status == 0);
}

TEST_CASE("a key without a segment is status 1, no key is status 2") {
    Scenario scenario;
    const auto missing = scenario.run({"shm-read", scenario.key()});
    CHECK(missing.status == 1);
    CHECK(missing.err == fmt::format("shm-read: cannot open shared memory {}: there is no such "
                                     "segment\n",
                                     scenario.key()));
    CHECK(scenario.run({"shm-read"}).status == 2);
    CHECK(scenario.run({"shm-read", scenario.key(), "--id", "1"}).status == 2);
    const auto no_id = scenario.run({"shm-read", "--id", "2147483647"});
    CHECK(no_id.status == 1);
    CHECK(no_id.err ==
          "shm-read: cannot find shared memory id 2147483647: there is no such segment\n");
    CHECK(scenario.run({"shm-read", scenario.key(), "--stream", "-n", "5"}).status == 2);
    CHECK(scenario.run({"shm-read", scenario.key(), "--stream", "-o", "0"}).status == 2);
    CHECK(scenario.run({"shm-read", scenario.key(), "-w", "5"}).status == 2);
}

TEST_CASE("a stranger's segment under a name's key is noticed") {
    Scenario scenario;
    make_segment(scenario, scenario.name(), "0123456789");
    // Made with the same key as a number, a segment has no label. Then the name refuses it.
    const auto key = scenario.shell(
        "ipc-list -J $1 | sed 's/.*\"key\":\\([0-9]*\\).*/\\1/' | tr -d '\\n'", {scenario.name()});
    REQUIRE(scenario.shell("ipcrm -M $1", {key.out}).status == 0);
    make_segment(scenario, key.out, "0123456789abcdef");
    const auto result = scenario.run({"shm-read", scenario.name()});
    CHECK(result.status == 1);
    CHECK(result.err.find("belongs to another segment (id ") != std::string::npos);
    CHECK(scenario.shell("ipcrm -M $1", {key.out}).status == 0);
}

TEST_CASE("a lost write is status 1") {
    Scenario scenario;
    make_segment(scenario, scenario.key(), "0123456789");
    const auto result = scenario.shell("shm-read $1 >/dev/full", {scenario.key()});
    CHECK(result.status == 1);
    CHECK(result.err == "shm-read: cannot write standard output: No space left on device\n");
    CHECK(scenario.shell("shm-read $1 >&-", {scenario.key()}).status == 1);
    CHECK(scenario.shell("shm-read $1 | true", {scenario.key()}).status == 0);
}
