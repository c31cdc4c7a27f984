#include "process/daemon_logs.h"

#include "core/io.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::process;

TEST_CASE("each stream has its log, and lines are reported") {
    const test::Scenario scenario;
    std::vector<std::string> lines;
    DaemonLogs logs{{"out", "err"}, [&](std::string_view line) { lines.emplace_back(line); }};
    write_all(logs.output(), "one\ntw", "a log");
    write_all(logs.error(), "three\n", "a log");
    logs.read(0);
    write_all(logs.output(), "o\n", "a log");
    logs.read(0);
    CHECK(scenario.read_file("out") == "one\ntwo\n");
    CHECK(scenario.read_file("err") == "three\n");
    CHECK(lines == std::vector<std::string>{"one", "three", "two"});
    logs.note("all is well");
    CHECK(scenario.read_file("err") == "three\ndaemon-run: all is well\n");
}

TEST_CASE("one file for both streams is one log") {
    const test::Scenario scenario;
    DaemonLogs logs{{"log", "log", Rotation{8, 1}}, nullptr};
    write_all(logs.output(), "one\n", "a log");
    write_all(logs.error(), "two\n", "a log");
    logs.read(0);
    write_all(logs.output(), "three\n", "a log");
    logs.read(0);
    CHECK(scenario.read_file("log.1") == "one\ntwo\n");
    CHECK(scenario.read_file("log") == "three\n");
}

TEST_CASE("a stream without a log is read and dropped, and a line without an end comes in pieces") {
    const test::Scenario scenario;
    std::size_t told = 0;
    DaemonLogs logs{{}, [&](std::string_view line) { told += line.size(); }};
    const std::string piece(10'000, 'x');
    for (int round = 0; round < 20; ++round) {
        write_all(logs.output(), piece, "a log");
        logs.read(0);
    }
    CHECK(told > 190'000);
}
