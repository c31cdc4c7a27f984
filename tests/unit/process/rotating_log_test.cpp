#include "process/rotating_log.h"

#include "core/error.h"
#include "harness/scenario.h"

#include <cstdio>
#include <doctest/doctest.h>
#include <sys/stat.h>

using namespace ipcbox;
using namespace ipcbox::process;

TEST_CASE("a log is appended to, or begun anew") {
    const test::Scenario scenario;
    scenario.write_file("log", "old\n");
    RotatingLog{"log", std::nullopt, RotatingLog::Start::append}.write("new\n");
    CHECK(scenario.read_file("log") == "old\nnew\n");
    RotatingLog{"log", std::nullopt, RotatingLog::Start::truncate}.write("new\n");
    CHECK(scenario.read_file("log") == "new\n");
    CHECK_THROWS_AS((RotatingLog{"none/log", std::nullopt, RotatingLog::Start::append}), SysError);
}

TEST_CASE("a full log is renamed, and the oldest is removed") {
    const test::Scenario scenario;
    RotatingLog log{"log", Rotation{10, 2}, RotatingLog::Start::append};
    SUBCASE("when lines come one by one") {
        for (const char* line : {"one\n", "two\n", "three\n", "four\n", "five\n", "six\n"})
            log.write(line);
    }
    SUBCASE("when they come together") {
        log.write("one\ntwo\nthree\nfour\nfive\nsix\n");
    }
    CHECK(scenario.read_file("log") == "six\n");
    CHECK(scenario.read_file("log.1") == "four\nfive\n");
    CHECK(scenario.read_file("log.2") == "three\n");
    CHECK_FALSE(scenario.exists("log.3"));
}

TEST_CASE("lines that come in pieces stay whole") {
    const test::Scenario scenario;
    RotatingLog log{"log", Rotation{10, 9}, RotatingLog::Start::append};
    for (const char letter : std::string_view{"one\ntwo\nthree\nfour\nfive\n"})
        log.write({&letter, 1});
    CHECK(scenario.read_file("log.1") == "one\ntwo\nthree\n");
    CHECK(scenario.read_file("log") == "four\nfive\n");
}

TEST_CASE("a line that is longer than a log has a log of its own") {
    const test::Scenario scenario;
    RotatingLog log{"log", Rotation{4, 9}, RotatingLog::Start::append};
    log.write("a\nmuch too long\nb\n");
    CHECK(scenario.read_file("log") == "b\n");
    CHECK(scenario.read_file("log.1") == "much too long\n");
    CHECK(scenario.read_file("log.2") == "a\n");
}

TEST_CASE("without old files a full log is emptied") {
    const test::Scenario scenario;
    RotatingLog log{"log", Rotation{4, 0}, RotatingLog::Start::append};
    log.write("one\ntwo\n");
    CHECK(scenario.read_file("log") == "two\n");
    CHECK_FALSE(scenario.exists("log.1"));
}

TEST_CASE("a log that was renamed is opened again on request") {
    const test::Scenario scenario;
    RotatingLog log{"log", std::nullopt, RotatingLog::Start::append};
    REQUIRE(std::rename("log", "moved") == 0);
    log.write("one\n");
    log.reopen();
    log.write("two\n");
    CHECK(scenario.read_file("moved") == "one\n");
    CHECK(scenario.read_file("log") == "two\n");
}

TEST_CASE("a log goes on where it cannot be renamed or opened") {
    const test::Scenario scenario;
    RotatingLog log{"log", Rotation{4, 1}, RotatingLog::Start::append};
    REQUIRE(::mkdir("log.1", 0755) == 0); // a file cannot replace a directory
    log.write("one\ntwo\n");
    CHECK(scenario.read_file("log") == "one\ntwo\n");
}

TEST_CASE("bytes that could not be written are counted") {
    RotatingLog log{"/dev/full", Rotation{4, 1}, RotatingLog::Start::append};
    log.write("one\n");
    log.write("two\n");
    log.write("three\n");
}
