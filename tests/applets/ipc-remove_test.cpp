#include "harness/ipc_namespace.h"
#include "harness/scenario.h"
#include "sysv/key.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

bool has_set(const std::string& key) {
    return ::semget(sysv::Key::parse(key).value(), 0, 0) >= 0;
}

bool has_segment(const std::string& key) {
    return ::shmget(sysv::Key::parse(key).value(), 0, 0) >= 0;
}

} // namespace

TEST_CASE("a set and a segment are removed by name, key and handle") {
    Scenario scenario;
    REQUIRE(scenario.run({"sem-create", "-n", "2", scenario.name()}).status == 0);
    const auto set = scenario.run({"ipc-remove", "--yes", "-v", scenario.name()});
    CHECK(set.status == 0);
    CHECK(contains(set.out, fmt::format(" ({}): 0 of 2 taken\n", scenario.name())));
    CHECK_FALSE(has_set(scenario.name()));
    REQUIRE(scenario.run({"shm-write", "--create", "--size", "9", scenario.name()}).status == 0);
    CHECK(scenario.run({"ipc-remove", "-y", scenario.name()}).out.empty());
    CHECK_FALSE(has_segment(scenario.name()));
    auto id = scenario.run({"sem-create", scenario.key()}).out;
    id.pop_back();
    const auto json = scenario.run({"ipc-remove", "-Jy", "sem:" + id});
    CHECK(json.out == fmt::format(R"({{"v":1,"kind":"sem","id":{},"key":{},"removed":true}})"
                                  "\n",
                                  id, scenario.key()));
    CHECK_FALSE(has_set(scenario.key()));
}

TEST_CASE("an object in use stays, and --force removes it anyway") {
    Scenario scenario;
    REQUIRE(scenario.run({"sem-create", scenario.key()}).status == 0);
    REQUIRE(scenario.run({"sem-take", scenario.key()}).status == 0);
    const auto refused = scenario.run({"ipc-remove", "--yes", scenario.key()});
    CHECK(refused.status == 1);
    CHECK(refused.err.ends_with("its token is taken (--force removes it anyway)\n"));
    CHECK(has_set(scenario.key()));
    CHECK(scenario.run({"ipc-remove", "--yes", "--force", scenario.key()}).status == 0);
    CHECK_FALSE(has_set(scenario.key()));
}

TEST_CASE("--dry-run prints what would go, and removes nothing") {
    Scenario scenario;
    REQUIRE(scenario.run({"sem-create", "-n", "2", scenario.name()}).status == 0);
    const auto dry = scenario.run({"ipc-remove", "--dry-run", scenario.name()});
    CHECK(dry.status == 0);
    CHECK(dry.out.starts_with("would remove sem:"));
    CHECK(dry.out.ends_with(fmt::format(" ({}): 0 of 2 taken\n", scenario.name())));
    CHECK(has_set(scenario.name()));
}

TEST_CASE("without a terminal nothing is removed unless --yes is given") {
    Scenario scenario;
    REQUIRE(scenario.run({"sem-create", scenario.key()}).status == 0);
    const auto refused = scenario.run({"ipc-remove", scenario.key()}, "y\n");
    CHECK(refused.status == 1);
    CHECK(refused.err == "ipc-remove: cannot ask before it removes anything: standard input is no "
                         "terminal (use --yes)\n");
    CHECK(has_set(scenario.key()));
}

TEST_CASE("on a terminal ipc-remove asks") {
    Scenario scenario;
    REQUIRE(scenario.run({"sem-create", scenario.key()}).status == 0);
    const auto asked = [&](std::string_view answer) {
        return scenario.shell(
            fmt::format("printf '{}\\n' | script -qec \"ipc-remove $1\" log", answer),
            {scenario.key()});
    };
    const auto no = asked("n");
    CHECK(no.status == 1);
    CHECK(contains(no.out, "remove it? [y/N] "));
    CHECK(has_set(scenario.key()));
    CHECK(asked("y").status == 0);
    CHECK_FALSE(has_set(scenario.key()));
}

TEST_CASE("a name that means a stranger's set, or nothing, is an error") {
    Scenario scenario;
    const auto number = fmt::format("{}", sysv::Key::parse(scenario.name()).value());
    REQUIRE(scenario.run({"sem-create", number}).status == 0);
    const auto stranger = scenario.run({"ipc-remove", "-y", scenario.name()});
    CHECK(stranger.status == 1);
    CHECK(stranger.err ==
          fmt::format("ipc-remove: cannot remove {}: there is no such object\n", scenario.name()));
    CHECK(has_set(scenario.name()));
}

TEST_CASE("a number that can mean two objects removes none") {
    Scenario scenario;
    if (!is_root()) return;
    const auto both = in_namespace(
        scenario, "sem-create 7 >/dev/null; shm-write --create --size 9 7 </dev/null; "
                  "ipc-remove -y 7; echo $?; ipc-list | grep -c 0x7; ipc-remove -ys 7 && "
                  "ipc-remove -ym 7 && ipc-list");
    CHECK(both.err ==
          "ipc-remove: cannot remove 7: this can be sem:0 or shm:0: name one of them\n");
    CHECK(both.out == "1\n2\n");
}

TEST_CASE("--orphans takes only what nobody uses and whose creator is gone") {
    Scenario scenario;
    if (!is_root()) return;
    const auto result = in_namespace(
        scenario,
        "sem-create -n1 @idle >/dev/null; sem-create -n1 @busy >/dev/null; sem-take @busy; "
        "shm-write --create --size 9 @old </dev/null; mkfifo feed; exec 3<>feed; "
        "shm-write --stream @feed <feed & until ipc-list --shm | grep -q '1 attached'; do :; done; "
        "ipc-remove --orphans --dry-run; ipc-remove --orphans --older 1h --dry-run; echo --; "
        "ipc-remove --orphans -y; ipc-list -J | grep -o '\"name\":\"@[a-z]*' | sort; kill $!; "
        "wait");
    CHECK(result.out == "would remove sem:0 (@idle): 0 of 1 taken\n"
                        "would remove shm:0 (@old): 9, 0 attached\n--\n"
                        "\"name\":\"@busy\n\"name\":\"@feed\n\"name\":\"@feed\n");
}

TEST_CASE("--owner and --all-mine choose by owner") {
    Scenario scenario;
    if (!is_root()) return;
    const auto result = in_namespace(
        scenario, "cp \"$(command -v sem-create)\" ipcbox; chmod 755 . .. ipcbox; "
                  "setpriv --reuid=65534 --regid=65534 --clear-groups ./ipcbox sem-create 1 "
                  ">/dev/null; sem-create 2 >/dev/null; "
                  "ipc-remove -n --all-mine; ipc-remove -n --owner 65534:65534; "
                  "setpriv --reuid=65534 --regid=65534 --clear-groups ./ipcbox ipc-remove -yf 2; "
                  "echo $?");
    CHECK(result.out == "would remove sem:1 (0x2): value 0: free\n"
                        "would remove sem:0 (0x1): value 0: free\n1\n");
    CHECK(result.err == "ipc-remove: cannot remove semaphore set 1: Operation not permitted\n");
}

TEST_CASE("an object that was taken into use while the user was asked stays") {
    Scenario scenario;
    REQUIRE(scenario.run({"sem-create", scenario.key()}).status == 0);
    REQUIRE(scenario.shell("mkfifo answer").status == 0);
    auto asking = scenario.start_shell("exec 3<>answer; script -qec \"ipc-remove $1\" log <answer",
                                       {scenario.key()});
    while (!contains(asking.line(), "value 0: free")) {
    }
    REQUIRE(scenario.run({"sem-take", scenario.key()}).status == 0);
    REQUIRE(scenario.shell("echo y >answer").status == 0);
    const auto result = asking.wait();
    CHECK(result.status == 1);
    CHECK(contains(result.out, "it was taken in the meantime: its token is taken"));
    CHECK(has_set(scenario.key()));
}

TEST_CASE("an invalid command line is refused") {
    Scenario scenario;
    for (const Words& words :
         {Words{"ipc-remove"}, Words{"ipc-remove", "--sem"}, Words{"ipc-remove", "shm:"},
          Words{"ipc-remove", "--all-mine", "--owner", "root"}, Words{"ipc-remove", "--older", "x"},
          Words{"ipc-remove", "--owner", "nobody-at-all"}})
        CHECK(scenario.run(words).status == 2);
}
