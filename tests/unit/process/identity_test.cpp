#include "process/identity.h"

#include "core/pidfd.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <stdexcept>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::process;

TEST_CASE("a process is named by its pid, or by its pid and its start") {
    CHECK(parse_identity("812") == Identity{812, std::nullopt});
    CHECK(parse_identity("812:5829341") == Identity{812, 5829341});
    CHECK(parse_identity("812:5829341").text() == "812:5829341");
    CHECK(parse_identity("812").text() == "812");
    for (const char* text : {"", "0", "-1", "x", "1:", "1:x", ":1", "1:-2", "4194305", "1 ", "+1"})
        CHECK_THROWS_AS((void)parse_identity(text), std::invalid_argument);
}

TEST_CASE("a process is found by what identifies it") {
    const auto us = find({::getpid(), std::nullopt});
    REQUIRE(us);
    REQUIRE(us->stat);
    CHECK(us->stat->pid == ::getpid());
    CHECK(may_signal(us->handle));
    const auto identity = us->identity(::getpid());
    CHECK(identity.text() == fmt::format("{}:{}", ::getpid(), us->stat->start_ticks));
    CHECK(find(identity));
}

TEST_CASE("a pid that is another's now is gone") {
    auto identity = find({::getpid(), std::nullopt})->identity(::getpid());
    ++*identity.start;
    CHECK_FALSE(find(identity));
    CHECK_FALSE(find({4'194'304, std::nullopt}));
}

TEST_CASE("each process has its unique number, where the kernel has such numbers") {
    test::Scenario scenario;
    auto first = scenario.start({"cat"});
    auto second = scenario.start({"cat"});
    const auto one = unique_number(*open_process(first.pid()));
    if (!one) return; // before Linux 6.9
    CHECK(unique_number(*open_process(first.pid())) == one);
    CHECK(unique_number(*open_process(second.pid())) != one);
}
