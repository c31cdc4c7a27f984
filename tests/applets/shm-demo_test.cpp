#include "harness/scenario.h"

#include <csignal>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/shm.h>

using namespace ipcbox::test;

namespace {

bool segment_exists(int id) {
    shmid_ds status{};
    return ::shmctl(id, IPC_STAT, &status) == 0;
}

int number_behind(std::string_view text, std::string_view word) {
    return std::stoi(std::string{text.substr(text.find(word) + word.size())});
}

} // namespace

TEST_CASE("one process writes, another one prints, and the segment is gone") {
    Scenario scenario;
    const auto result = scenario.run({"shm-demo"});
    CHECK(result.status == 0);
    CHECK(result.err.empty());
    CHECK(result.out.starts_with("Message #1\ndeleting "));
    CHECK_FALSE(segment_exists(number_behind(result.out, "deleting ")));
}

TEST_CASE("a lost write is one line and status 1, and the segment is gone") {
    Scenario scenario;
    const auto result = scenario.shell("shm-demo --key $1 >/dev/full", {scenario.key()});
    CHECK(result.status == 1);
    CHECK(result.err == "shm-demo: cannot write standard output: No space left on device\n");
    CHECK(scenario.run({"shm-read", scenario.key()}).status == 1);
}

TEST_CASE("a signal at any point leaves no segment") {
    Scenario scenario;
    // Nobody reads the output, so the process that reads the segment blocks while it has it.
    auto demo = scenario.start(
        {"shm-demo", "--key", scenario.key(), "--size", "1M", "--text", std::string(100'000, 'x')});
    demo.kill(SIGTERM);
    CHECK(demo.wait().status == 128 + SIGTERM);
    CHECK(scenario.run({"shm-read", scenario.key()}).status == 1);
}

TEST_CASE("--text, --size, --key and --keep do as they say") {
    Scenario scenario;
    const auto result = scenario.run(
        {"shm-demo", "--keep", "--key", scenario.key(), "--text", "hello", "--size", "1K"});
    CHECK(result.status == 0);
    CHECK(result.out.starts_with("hello\nkeeping "));
    CHECK(segment_exists(number_behind(result.out, "keeping ")));
    const auto read = scenario.run({"shm-read", scenario.key()});
    CHECK(read.out.size() == 1024);
    CHECK(read.out.starts_with(std::string{"hello\0", 6}));

    const auto again = scenario.run({"shm-demo", "--key", scenario.key()});
    CHECK(again.status == 1);
    CHECK(again.err == fmt::format("shm-demo: cannot create shared memory {}: it exists already\n",
                                   scenario.key()));
}

TEST_CASE("a message that does not fit is a usage error") {
    Scenario scenario;
    const auto result = scenario.run({"shm-demo", "--size", "5", "--text", "hello"});
    CHECK(result.status == 2);
    CHECK(result.err == "shm-demo: --size 5: the message needs 6 bytes (see shm-demo --help)\n");
    CHECK(scenario.run({"shm-demo", "--size", "6", "--text", "hello"}).status == 0);
}

TEST_CASE("-J prints one object") {
    Scenario scenario;
    const auto result = scenario.run({"shm-demo", "-J"});
    CHECK(result.status == 0);
    CHECK(result.out.starts_with("{\"v\":1,\"id\":"));
    CHECK(result.out.ends_with("\"size\":2000,\"text\":\"Message #1\",\"kept\":false}\n"));
}

TEST_CASE("a size that the system does not have is an error") {
    Scenario scenario;
    const auto result = scenario.run({"shm-demo", "--size", "16777215G"});
    CHECK(result.status == 1);
    CHECK(result.err.starts_with("shm-demo: cannot create shared memory segment of "));
}
