#include "harness/scenario.h"
#include "sysv/token_set.h"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <sys/sem.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::test;

namespace {

int id_of(const std::string& key) {
    return ::semget(sysv::Key::parse(key).value(), 0, 0);
}

} // namespace

TEST_CASE("sem-create prints the id, the same at each call") {
    Scenario scenario;
    const auto made = scenario.run({"sem-create", scenario.key()});
    CHECK(made.status == 0);
    CHECK(made.out == fmt::format("{}\n", id_of(scenario.key())));
    CHECK(made.err.empty());
    CHECK(scenario.run({"sem-create", "-n", "1", scenario.key()}).out == made.out);
    semid_ds status{};
    REQUIRE(::semctl(id_of(scenario.key()), 0, IPC_STAT, &status) == 0);
    CHECK((status.sem_perm.mode & 0777U) == 0600); // whatever the umask is
    CHECK(status.sem_nsems == 1);
}

TEST_CASE("every form of a key makes or finds a set") {
    Scenario scenario;
    const auto hexadecimal = fmt::format("{:#x}", sysv::Key::parse(scenario.key()).value());
    const auto made = scenario.run({"sem-create", scenario.key()});
    CHECK(scenario.run({"sem-create", hexadecimal}).out == made.out);
    const auto named = scenario.run({"sem-create", "-n", "4", scenario.name()});
    CHECK(named.status == 0);
    CHECK(named.out == fmt::format("{}\n", id_of(scenario.name())));
    scenario.write_file("lock", "");
    const auto by_path = scenario.run({"sem-create", "./lock"});
    CHECK(by_path.status == 0);
    CHECK(scenario.run({"sem-create", scenario.path("lock")}).out == by_path.out);
    CHECK(::semctl(id_of("./lock"), 0, IPC_RMID) == 0);
}

TEST_CASE("-m, -n and -J do as they say") {
    Scenario scenario;
    const auto made = scenario.run({"sem-create", "-J", "-n", "3", "-m", "640", scenario.key()});
    CHECK(made.status == 0);
    CHECK(made.out == fmt::format(R"({{"v":1,"key":"{}","id":{},"slots":3,"taken":0}})"
                                  "\n",
                                  scenario.key(), id_of(scenario.key())));
    semid_ds status{};
    REQUIRE(::semctl(id_of(scenario.key()), 0, IPC_STAT, &status) == 0);
    CHECK((status.sem_perm.mode & 0777U) == 0640);
}

TEST_CASE("another shape is an error that names both") {
    Scenario scenario;
    REQUIRE(scenario.run({"sem-create", "-n", "4", scenario.name()}).status == 0);
    const auto other = scenario.run({"sem-create", "-n", "5", scenario.name()});
    CHECK(other.status == 1);
    CHECK(other.out.empty());
    CHECK(other.err == fmt::format("sem-create: cannot create {} with 5 slots: it has 4 slots\n",
                                   scenario.name()));
    REQUIRE(scenario.run({"sem-create", scenario.key()}).status == 0);
    const auto plain = scenario.run({"sem-create", "-n", "5", scenario.key()});
    CHECK(plain.status == 1);
    CHECK(plain.err == fmt::format("sem-create: cannot create {} with 5 slots: it has 1 slot\n",
                                   scenario.key()));
    REQUIRE(scenario.run({"sem-create", "-n", "5", scenario.key(1)}).status == 0);
    CHECK(
        scenario.run({"sem-create", scenario.key(1)}).err ==
        fmt::format("sem-create: cannot create {} with 1 slot: it has 5 slots\n", scenario.key(1)));
}

TEST_CASE("a name whose key belongs to a stranger is refused") {
    Scenario scenario;
    const auto number = fmt::format("{}", sysv::Key::parse(scenario.name()).value());
    REQUIRE(scenario.run({"sem-create", number}).status == 0);
    for (const Words& words :
         {Words{"sem-create", scenario.name()}, Words{"sem-take", "-j", "1", scenario.name()},
          Words{"sem-take", scenario.name()}, Words{"sem-give", scenario.name()}}) {
        const auto result = scenario.run(words);
        CHECK(result.status == 1);
        CHECK(contains(result.err, "belongs to another semaphore set"));
    }
}

TEST_CASE("a set is resized, also while it is in use") {
    Scenario scenario;
    const auto name = scenario.name();
    const auto missing = scenario.run({"sem-create", "--resize", "2", name});
    CHECK(missing.status == 1);
    CHECK(missing.err == fmt::format("sem-create: cannot resize {}: there is no such set\n", name));
    const auto made = scenario.run({"sem-create", "-n", "2", name});
    REQUIRE(scenario.run({"sem-take", name}).status == 0);
    REQUIRE(scenario.run({"sem-take", name}).status == 0);
    auto waiter = scenario.start({"sem-take", "-v", name});
    CHECK(waiter.error_line().starts_with("sem-take: waiting for "));
    CHECK(scenario.run({"sem-create", "--resize", "3", name}).out == made.out);
    CHECK(waiter.wait().status == 0);
    const auto busy = scenario.run({"sem-create", "--resize", "2", "-w", "1ms", name});
    CHECK(busy.status == 1);
    CHECK(busy.err == fmt::format("sem-create: cannot resize {} to 2: 3 of 3 are taken\n", name));
    REQUIRE(scenario.run({"sem-give", name}).status == 0);
    CHECK(scenario.run({"sem-create", "-J", "--resize", "2", name})
              .out.ends_with("\"slots\":2,\"taken\":2}\n"));
    CHECK(scenario.run({"sem-create", "--resize", "65", name}).status == 1);
}

TEST_CASE("bad values name the option, the value and what was expected") {
    Scenario scenario;
    for (const Words& words :
         {Words{"sem-create", "0"}, Words{"sem-create", "12x"}, Words{"sem-create", "@"},
          Words{"sem-create", "-n", "0"}, Words{"sem-create", "-n", "16001"},
          Words{"sem-create", "-n", "x"}, Words{"sem-create", "-m", "999"},
          Words{"sem-create", "--resize", "-1"}, Words{"sem-create", "1", "2"},
          Words{"sem-create", "-w", "1y"}, Words{"sem-create", "-n"}, Words{"sem-create", "-Z"}}) {
        CAPTURE(words.back());
        const auto result = scenario.run(words);
        CHECK(result.status == 2);
        CHECK(result.out.empty());
        CHECK(result.err.ends_with("(see sem-create --help)\n"));
    }
    CHECK(scenario.run({"sem-create", "-n", "0"}).err ==
          "sem-create: --slots '0': expected a number from 1 to 16000 (see sem-create --help)\n");
    const auto missing = scenario.run({"sem-create", "./none"});
    CHECK(missing.err ==
          "sem-create: cannot make a key of ./none: No such file or directory (touch "
          "it, or use @name)\n");
    CHECK(missing.status == 1);
}

TEST_CASE("a set of another user and a full standard output are errors") {
    Scenario scenario;
    const auto full = scenario.shell("sem-create $1 >/dev/full", {scenario.key()});
    CHECK(full.status == 1);
    CHECK(full.err == "sem-create: cannot write standard output: No space left on device\n");
    if (::geteuid() != 0) {
        MESSAGE("not root: what another user may do is not tested");
        return;
    }
    // Copy the binary: others may not be able to reach the build directory.
    REQUIRE(scenario.shell("cp $1 ipcbox && chmod 755 ipcbox . ..", {binary()}).status == 0);
    REQUIRE(scenario.run({"sem-create", scenario.key()}).status == 0);
    const auto other = [&](const Words& words) {
        Words all{"setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                  scenario.path("ipcbox")};
        all.insert(all.end(), words.begin(), words.end());
        return scenario.run(all);
    };
    for (const Words& words :
         {Words{"sem-create", scenario.key()}, Words{"sem-take", scenario.key()},
          Words{"sem-give", scenario.key()}}) {
        const auto refused = other(words);
        CHECK(refused.status == 1);
        CHECK(refused.err == fmt::format("{}: cannot read semaphore set {}: Permission denied\n",
                                         words[0], scenario.key()));
    }
}

TEST_CASE("the system's limits are named") {
    Scenario scenario;
    if (::geteuid() != 0) {
        MESSAGE("not root: no IPC namespace of our own");
        return;
    }
    // At most 4 sets of 100 semaphores each, and 200 in all.
    const std::string limits = "echo 100 200 100 4 >/proc/sys/kernel/sem; ";
    const auto in_namespace = [&](const std::string& script) {
        return scenario.run({"unshare", "--ipc", "sh", "-c", limits + script});
    };
    const std::string reached = ": the system's limit is reached: all its sets (the 4th number of "
                                "sysctl kernel.sem) or semaphores (the 2nd) are in use\n";
    const auto too_many = in_namespace("sem-create -n 200 @a");
    CHECK(too_many.status == 1);
    CHECK(too_many.err == "sem-create: cannot create semaphore set @a of 230 semaphores: the "
                          "system's limit for one set is smaller (SEMMSL, the 1st number of sysctl "
                          "kernel.sem)\n");
    CHECK(in_namespace("sem-create -n 9 @a && sem-create -n 9 @b && sem-create -n 9 @c").err ==
          "sem-create: cannot create semaphore set @c" + reached);
    CHECK(in_namespace("sem-take -j 200 @a -- true").status == 125);
    CHECK(in_namespace("for key in 1 2 3 4 5; do sem-create $key; done").err ==
          "sem-create: cannot create semaphore set 5" + reached);
}

TEST_CASE("a limit of operations is named, and the set that could not be finished does not stay") {
    Scenario scenario;
    if (::geteuid() != 0) {
        MESSAGE("not root: no IPC namespace of our own");
        return;
    }
    const auto result =
        scenario.run({"unshare", "--ipc", "sh", "-c",
                      "echo 250 32000 3 128 >/proc/sys/kernel/sem; sem-create @a; ipcs -s"});
    CHECK(result.err ==
          "sem-create: cannot use semaphore set @a: it needs 27 operations at once, and "
          "the system allows fewer (SEMOPM, the 3rd number of sysctl kernel.sem)\n");
    CHECK_FALSE(contains(result.out, "0x"));
}

TEST_CASE("options that do not apply are an error, as is a mode that keeps the owner out") {
    Scenario scenario;
    for (const Words& words : {Words{"sem-create", "-w", "1", scenario.name()},
                               Words{"sem-create", "--resize", "2", "-n", "2", scenario.name()},
                               Words{"sem-create", "--resize", "2", "-m", "600", scenario.name()},
                               Words{"sem-create", "-m", "66", scenario.name()},
                               Words{"sem-create", "-m", "400", scenario.key()},
                               Words{"sem-take", "-m", "660", scenario.name()},
                               Words{"sem-take", "-j1", "-m", "66", scenario.name()}}) {
        CAPTURE(words[1]);
        CHECK(scenario.run(words).status == 2);
        CHECK(id_of(scenario.name()) == -1);
    }
    CHECK(scenario.run({"sem-create", "-m", "66", "1"}).err ==
          "sem-create: --mode '66': expected a mode with access for the owner, such as 600 or 660 "
          "(see "
          "sem-create --help)\n");
}

TEST_CASE("an octal and a negative key are refused by name") {
    Scenario scenario;
    CHECK(scenario.run({"sem-create", "010"}).err ==
          "sem-create: KEY '010': a key is decimal, or hexadecimal with 0x, but never octal (see "
          "sem-create --help)\n");
    for (const Words& words : {Words{"sem-create", "-1"}, Words{"sem-create", "--", "-1"},
                               Words{"sem-take", "-n", "-1"}, Words{"sem-take", "-12", "true"}}) {
        const auto result = scenario.run(words);
        CHECK(result.status == 2);
        CHECK(contains(result.err, "a key cannot be negative (write 0xffffffff for -1)"));
    }
}

TEST_CASE("a name in an error can neither start a line nor control a terminal") {
    Scenario scenario;
    CHECK(
        scenario.run({"sem-create", "./\x1b[31m\n\xff"}).err ==
        "sem-create: cannot make a key of ./^[[31m^J\\xff: No such file or directory (touch it, or "
        "use @name)\n");
    CHECK(
        scenario.run({"sem-create", "-n", "1\r\n", "@a"}).err ==
        "sem-create: --slots '1^M^J': expected a number from 1 to 16000 (see sem-create --help)\n");
}

TEST_CASE("the default key is the manual page's") {
    Scenario scenario;
    if (::geteuid() != 0) {
        MESSAGE("not root: the default key may be in use");
        return;
    }
    const auto result = scenario.run({"unshare", "--ipc", "sh", "-c",
                                      "sem-create >&2 && sem-take && sem-give 0x4d2 && ipcs -s"});
    CHECK(result.status == 0);
    CHECK(contains(result.out, "0x000004d2"));
}
