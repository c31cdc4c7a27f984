#include "harness/scenario.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <random>
#include <sys/syscall.h>
#include <unistd.h>

using namespace ipcbox::test;

namespace {

std::string random_bytes(std::size_t count) {
    std::mt19937 numbers{42}; // NOLINT(cert-msc51-cpp): the same bytes in each run
    std::string bytes(count, '\0');
    for (auto& byte : bytes)
        byte = static_cast<char>(numbers());
    return bytes;
}

constexpr std::size_t mebibyte = 1024UL * 1024;

} // namespace

TEST_CASE("a file fits the segment that is made for it, however large") {
    Scenario scenario;
    // Less than a page, a page, the share of one thread, and shares of two threads with an odd end.
    for (const std::size_t size : {1UL, 4096UL, 3 * mebibyte + 1, 21 * mebibyte + 4097}) {
        CAPTURE(size);
        scenario.write_file("in", random_bytes(size));
        const auto result = scenario.shell("shm-write --create $1 <in && shm-read $1 >out && "
                                           "ipcrm -M $1 && cmp in out",
                                           {scenario.key()});
        CHECK(result.status == 0);
        CHECK(result.err.empty());
    }
}

TEST_CASE("input begins where standard input stands, and the rest of the segment stays") {
    Scenario scenario;
    scenario.write_file("in", random_bytes(20 * mebibyte));
    const auto result = scenario.shell("exec <in; dd bs=5 count=1 status=none >/dev/null\n"
                                       "shm-write --create $1; shm-read $1 | cksum\n"
                                       "tail -c +6 in | cksum",
                                       {scenario.key()});
    const auto half = result.out.size() / 2;
    CHECK(half > 0);
    CHECK(result.out.substr(0, half) == result.out.substr(half));
    REQUIRE(scenario.run({"shm-write", scenario.key(1), "--create", "--size", "8"}, "01234567")
                .status == 0);
    CHECK(scenario.run({"shm-write", scenario.key(1), "-o", "2"}, "xy").status == 0);
    CHECK(scenario.run({"shm-read", scenario.key(1)}).out == "01xy4567");
}

TEST_CASE("too much input is an error, and a pipe keeps what was not read") {
    Scenario scenario;
    const auto key = scenario.key();
    REQUIRE(scenario.run({"shm-write", key, "--create", "--size", "8"}, "01234567").status == 0);
    scenario.write_file("in", "123456789");
    const auto file = scenario.shell("shm-write $1 <in", {key});
    CHECK(file.status == 1);
    CHECK(file.err == fmt::format("shm-write: cannot write shared memory {}: the input is longer "
                                  "than 8 bytes\n",
                                  key));
    CHECK(scenario.run({"shm-read", key}).out == "01234567");
    const auto pipe = scenario.shell("printf abcdefghrest | (shm-write $1; cat)", {key});
    CHECK(pipe.out == "rest");
    CHECK(scenario.run({"shm-write", key, "-o", "9"}).status == 1);
}

TEST_CASE("--create uses a segment of the same size, and refuses another size") {
    Scenario scenario;
    const auto key = scenario.key();
    REQUIRE(scenario.run({"shm-write", "--create", "--size", "8", key}, "01234567").status == 0);
    CHECK(scenario.run({"shm-write", "--create", "--size", "8", key}, "abc").status == 0);
    CHECK(scenario.run({"shm-read", key}).out == "abc34567");
    const auto other = scenario.run({"shm-write", "--create", "--size", "9", key}, "abc");
    CHECK(other.status == 1);
    CHECK(other.err == fmt::format("shm-write: cannot create shared memory {} of 9 bytes: it has "
                                   "8\n",
                                   key));
}

TEST_CASE("a segment that was made for a copy that fails is removed") {
    Scenario scenario;
    const auto key = scenario.key();
    CHECK(scenario.run({"shm-write", "--create", "--size", "4", key}, "12345").status == 1);
    CHECK(scenario.run({"shm-read", key}).status == 1);
    auto writer = scenario.start({"shm-write", "--create", "--size", "4", key});
    REQUIRE(eventually([&] { return scenario.run({"shm-read", key}).status == 0; }));
    REQUIRE(eventually([&] { return is_blocked_in(writer.pid(), SYS_read); }));
    writer.kill(SIGTERM);
    CHECK(writer.wait().status == 128 + SIGTERM);
    CHECK(scenario.run({"shm-read", key}).status == 1);
}

TEST_CASE("the mode is the one of -m, or 600") {
    Scenario scenario;
    const auto mode = [&scenario](const std::string& key) {
        return scenario
            .shell("ipcs -m | awk -v key=$(printf 0x%08x $1) '$1 == key { printf \"%s\", $4 }'",
                   {key})
            .out;
    };
    REQUIRE(scenario.run({"shm-write", "--create", "--size", "4", scenario.key()}).status == 0);
    CHECK(mode(scenario.key()) == "600");
    REQUIRE(scenario.run({"shm-write", "--create", "--size", "4", "-m", "640", scenario.key(1)})
                .status == 0);
    CHECK(mode(scenario.key(1)) == "640");
}

TEST_CASE("an owner who keeps write permission from everybody fills the segment anyway") {
    Scenario scenario;
    for (const auto& key : {scenario.key(), scenario.name()}) {
        const std::string script = "printf text | $SU shm-write --create --size 4 -m 444 $1; "
                                   "$SU shm-read $1; printf new | $SU shm-write $1";
        // Only other users need a mode: root may write into every segment.
        const auto result = scenario.shell(
            "chmod 755 . ..; cp \"$(command -v shm-write)\" ipcbox; chmod 755 ipcbox; "
            "SU='setpriv --reuid=65534 --regid=65534 --clear-groups ./ipcbox'; "
            "[ \"$(id -u)\" = 0 ] || SU=./ipcbox; " +
                script,
            {key});
        CHECK(result.out == "text");
        CHECK(result.status == 1);
        CHECK(contains(result.err, "Permission denied"));
    }
}

TEST_CASE("an invalid command line is status 2") {
    Scenario scenario;
    const auto key = scenario.key();
    CHECK(scenario.run({"shm-write"}).status == 2);
    CHECK(scenario.run({"shm-write", key, "--id", "1"}).status == 2);
    CHECK(scenario.run({"shm-write", key, "--size", "5"}).status == 2);
    CHECK(scenario.run({"shm-write", key, "--create"}, "text").status == 2);
    CHECK(scenario.run({"shm-write", "--id", "1", "--stream"}).status == 2);
}

TEST_CASE("options that do not apply are an error") {
    Scenario scenario;
    const auto key = scenario.key();
    for (const Words& words :
         {Words{"shm-write", key, "-m", "600"}, Words{"shm-write", key, "--huge"},
          Words{"shm-write", key, "-w", "1"}, Words{"shm-write", key, "--stream", "-o", "4"},
          Words{"shm-write", key, "--stream", "--truncate"},
          Words{"shm-write", key, "--stream", "--create"}}) {
        CAPTURE(words[2]);
        CHECK(scenario.run(words, "text").status == 2);
        CHECK(scenario.run({"shm-read", key}).status == 1);
    }
}

TEST_CASE("--truncate leaves nothing of a longer text behind a shorter one") {
    Scenario scenario;
    const auto key = scenario.key();
    REQUIRE(scenario.run({"shm-write", "--create", "--size", "8", key}, "01234567").status == 0);
    CHECK(scenario.run({"shm-write", "--truncate", "-o", "1", key}, "ab").status == 0);
    CHECK(scenario.run({"shm-read", key}).out == std::string("0ab\0\0\0\0\0", 8));
    // The manual page says: created or replaced.
    for (const char* text : {"a longer state", "short"}) {
        CHECK(
            scenario
                .run({"shm-write", "--create", "--size", "4K", "--truncate", scenario.name()}, text)
                .status == 0);
        CHECK(scenario.shell("shm-read $1 | tr -d '\\0'", {scenario.name()}).out == text);
    }
}

TEST_CASE("an empty file makes an empty segment under a name, and none under a number") {
    Scenario scenario;
    const auto named = scenario.shell(": >e; shm-write --create $1 <e", {scenario.name()});
    CHECK(named.status == 0);
    const auto read = scenario.run({"shm-read", scenario.name()});
    CHECK(read.status == 0);
    CHECK(read.out.empty());
    CHECK(scenario.run({"shm-write", scenario.name()}, "x").status == 1);
    const auto numbered = scenario.shell("shm-write --create $1 <e", {scenario.key()});
    CHECK(numbered.status == 1);
    CHECK(numbered.err ==
          fmt::format("shm-write: cannot create shared memory {} of 0 bytes: only a "
                      "segment under a @name can be empty\n",
                      scenario.key()));
    CHECK(scenario.run({"shm-read", scenario.key()}).err.ends_with("there is no such segment\n"));
}

TEST_CASE("a stream that cannot be made whole leaves nothing that blocks its key") {
    Scenario scenario;
    const auto key = scenario.key();
    // The key has a segment that is no ring. shm-write must not leave a half-made ring beside it.
    REQUIRE(scenario.run({"shm-write", "--create", "--size", "8", key}, "01234567").status == 0);
    CHECK(scenario.run({"shm-write", "--stream", key}).err ==
          fmt::format("shm-write: cannot stream through {}: its key belongs to something else\n",
                      key));
    CHECK(scenario.run({"sem-give", key}).err.ends_with("there is no such set\n"));
    // This set is not that of a ring.
    const auto other = scenario.key(1);
    REQUIRE(scenario.run({"sem-create", other}).status == 0);
    CHECK(scenario.run({"shm-read", "--stream", other}).status == 1);
    CHECK(scenario.run({"shm-read", other}).err.ends_with("there is no such segment\n"));
}

TEST_CASE("the system's limits are named, and nothing stays") {
    Scenario scenario;
    if (::geteuid() != 0) {
        MESSAGE("not root: no IPC namespace of our own");
        return;
    }
    const auto in_namespace = [&](const std::string& script) {
        const auto result = scenario.run(
            {"unshare", "--ipc", "sh", "-c", script + "; echo $?; ipcs -m -s | grep -c 0x"});
        CHECK(result.out == "1\n0\n");
        return result.err;
    };
    CHECK(in_namespace("echo 4096 >/proc/sys/kernel/shmmax; shm-write --create --size 8K @a") ==
          "shm-write: cannot create shared memory @a of 8192 bytes: the system's limit for one "
          "segment is smaller (sysctl kernel.shmmax)\n");
    const std::string reached = "the system's limit is reached: all its segments (sysctl "
                                "kernel.shmmni) or pages (sysctl kernel.shmall) are in use\n";
    CHECK(in_namespace("echo 1 >/proc/sys/kernel/shmall; shm-write --create --size 8K @a") ==
          "shm-write: cannot create shared memory @a of 8192 bytes: " + reached);
    // The set of a ring is made first. It must be removed as well.
    CHECK(in_namespace("echo 1 >/proc/sys/kernel/shmall; shm-write --stream @a </dev/null")
              .ends_with(reached));
    if (scenario.shell("cat /proc/sys/vm/nr_hugepages").out == "0\n")
        CHECK(in_namespace("shm-write --create --huge --size 2M @a </dev/null") ==
              "shm-write: cannot create shared memory @a of 2097152 bytes: not enough huge pages "
              "are free (grep HugePages /proc/meminfo; sysctl vm.nr_hugepages)\n");
}

TEST_CASE("-J and -v tell how much was written") {
    Scenario scenario;
    const auto key = scenario.key();
    CHECK(scenario.run({"shm-write", "-J", "--create", "--size", "8", key}, "abc").out ==
          fmt::format("{{\"v\":1,\"key\":\"{}\",\"bytes\":3}}\n", key));
    CHECK(scenario.run({"shm-write", "-v", key}, "abc").err == "shm-write: 3 bytes written\n");
}

TEST_CASE("a stream arrives whole, whichever end comes first") {
    Scenario scenario;
    scenario.write_file("in", random_bytes(40 * mebibyte + 123));
    const auto name = scenario.name();
    CHECK(
        scenario
            .shell("shm-write --stream $1 <in & shm-read --stream $1 | cmp - in && wait $!", {name})
            .status == 0);
    CHECK(scenario
              .shell("shm-read --stream $1 >out & cat in | shm-write --stream $1 && wait $! && "
                     "cmp in out",
                     {name})
              .status == 0);
    CHECK(scenario.shell("shm-write --stream $1 </dev/null & shm-read --stream $1; wait $!", {name})
              .status == 0);
    CHECK(scenario.run({"shm-read", name}).err.ends_with("there is no such segment\n"));
    CHECK(scenario.run({"sem-give", name}).err.ends_with("there is no such set\n"));
}

TEST_CASE("a slow stream is passed on as it comes") {
    Scenario scenario;
    auto writer = scenario.start({"shm-write", "--stream", scenario.name()});
    auto reader = scenario.start({"shm-read", "--stream", scenario.name()});
    writer.send("first\n");
    CHECK(reader.line() == "first");
    writer.send("second\n");
    CHECK(reader.line() == "second");
    CHECK(writer.wait().status == 0);
    CHECK(reader.wait().status == 0);
}

TEST_CASE("the death of one end is the other's error, and leaves nothing") {
    Scenario scenario;
    const auto name = scenario.name();
    for (const int signal : {SIGTERM, SIGKILL}) {
        CAPTURE(signal);
        auto writer = scenario.start({"shm-write", "--stream", name});
        auto reader = scenario.start({"shm-read", "--stream", name});
        writer.send("text\n");
        CHECK(reader.line() == "text");
        writer.kill(signal);
        const auto result = reader.wait();
        CHECK(result.status == 1);
        CHECK(result.err == fmt::format("shm-read: the writer of {} died\n", name));
    }
    for (const int signal : {SIGTERM, SIGKILL}) {
        CAPTURE(signal);
        auto writer = scenario.start_shell("yes | shm-write --stream $1", {name});
        auto reader = scenario.start({"shm-read", "--stream", name});
        CHECK(reader.line() == "y");
        reader.kill(signal);
        const auto result = writer.wait();
        CHECK(result.status == 1);
        CHECK(result.err == fmt::format("shm-write: the reader of {} died\n", name));
    }
    CHECK(scenario.run({"shm-read", name}).status == 1);
}

TEST_CASE("a second writer or reader is refused, and the stream goes on") {
    Scenario scenario;
    const auto name = scenario.name();
    auto writer = scenario.start({"shm-write", "--stream", name});
    auto reader = scenario.start({"shm-read", "--stream", name});
    writer.send("text\n");
    CHECK(reader.line() == "text");
    const auto second_writer = scenario.run({"shm-write", "--stream", name}, "other");
    CHECK(second_writer.status == 1);
    CHECK(second_writer.err ==
          fmt::format("shm-write: cannot stream through {}: it already has a writer\n", name));
    const auto second_reader = scenario.run({"shm-read", "--stream", name});
    CHECK(second_reader.status == 1);
    CHECK(second_reader.err ==
          fmt::format("shm-read: cannot stream through {}: it already has a reader\n", name));
    writer.send("more\n");
    CHECK(reader.line() == "more");
    CHECK(writer.wait().status == 0);
    CHECK(reader.wait().status == 0);
}

TEST_CASE("a writer or reader without the other gives up at its deadline or at a signal, and "
          "leaves nothing behind") {
    Scenario scenario;
    const auto name = scenario.name();
    const auto late = scenario.run({"shm-write", "--stream", "-w", "10ms", name}, "text");
    CHECK(late.status == 124);
    CHECK(late.err == fmt::format("shm-write: timed out: waiting for a reader of {}\n", name));
    CHECK(scenario.run({"shm-read", "--stream", "-w", "10ms", name}).status == 124);
    CHECK(scenario.run({"shm-read", name}).status == 1);

    auto reader = scenario.start({"shm-read", "--stream", name});
    REQUIRE(eventually([&] { return is_blocked_in(reader.pid(), SYS_semtimedop); }));
    reader.kill(SIGINT);
    CHECK(reader.wait().status == 128 + SIGINT);
    CHECK(scenario.run({"shm-read", name}).status == 1);
}

TEST_CASE("a ring that two killed ends left is used again") {
    Scenario scenario;
    const auto name = scenario.name();
    auto writer =
        scenario.start_shell("mkfifo in; yes >in & exec shm-write --stream $1 <in", {name});
    auto reader = scenario.start({"shm-read", "--stream", name});
    CHECK(reader.line() == "y");
    // Neither can clean up after the other: the first one is stopped when the second one dies.
    REQUIRE(scenario
                .shell("kill -STOP $1; kill -KILL $2 $1",
                       {std::to_string(writer.pid()), std::to_string(reader.pid())})
                .status == 0);
    (void)writer.wait();
    (void)reader.wait();
    CHECK(
        scenario.shell("echo anew | shm-write --stream $1 & shm-read --stream $1; wait $!", {name})
            .out == "anew\n");
}
