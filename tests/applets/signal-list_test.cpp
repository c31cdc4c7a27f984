#include "harness/scenario.h"

#include <doctest/doctest.h>

using namespace ipcbox::test;

TEST_CASE("one word in gives one word out, in all directions") {
    Scenario scenario;
    CHECK(scenario.run({"signal-list", "15"}).out == "TERM\n");
    CHECK(scenario.run({"signal-list", "sigterm"}).out == "15\n");
    CHECK(scenario.run({"signal-list", "143"}).out == "TERM\n");
    CHECK(scenario.run({"signal-list", "RTMIN+3"}).out == "37\n");
    CHECK(scenario.run({"signal-list", "HUP", "9", "130"}).out == "1\nKILL\nINT\n");
    CHECK(scenario.shell("sh -c 'kill -USR1 $$'; signal-list $?").out == "USR1\n");
}

TEST_CASE("the table has every signal, with its aliases and its action") {
    Scenario scenario;
    const auto table = scenario.run({"signal-list"});
    CHECK(table.status == 0);
    CHECK(table.out.starts_with("NUM NAME     ALSO     DEFAULT    CATCH\n"));
    CHECK(table.out.find("\n  9 KILL     -        terminate  no\n") != std::string::npos);
    CHECK(table.out.find("\n 17 CHLD     CLD      ignore     yes\n") != std::string::npos);
    CHECK(scenario.run({"signal-list", "-L"}).out == table.out);
    const auto json = scenario.run({"signal-list", "-J"}).out;
    CHECK(
        json.find(
            R"({"v":1,"number":6,"name":"ABRT","aliases":["IOT"],"default":"core","catch":true})") !=
        std::string::npos);
}

TEST_CASE("wait statuses and masks are decoded") {
    Scenario scenario;
    CHECK(scenario.run({"signal-list", "--wait-status", "28416"}).out == "exit 111\n");
    CHECK(scenario.run({"signal-list", "--wait-status=9"}).out == "killed by KILL\n");
    CHECK(scenario.run({"signal-list", "--wait-status=265"}).status == 1);
    CHECK(scenario.run({"signal-list", "--mask", "4002"}).out == "INT TERM\n");
    CHECK(scenario.run({"signal-list", "--mask", "0"}).out == "\n");
    CHECK(scenario.run({"signal-list", "--mask", "fffffffe57f0d8fc"}).out.starts_with("QUIT ILL"));
    CHECK(scenario.run({"signal-list", "--mask", "xyz"}).status == 2);
    CHECK(scenario.run({"signal-list", "-J", "--mask", "0x2", "15"}).out ==
          "{\"v\":1,\"asked\":\"15\",\"meaning\":\"TERM\"}\n"
          "{\"v\":1,\"asked\":\"2\",\"meaning\":\"INT\"}\n");
}

TEST_CASE("each word that is not a signal is reported, and the others are answered") {
    Scenario scenario;
    const auto result = scenario.run({"signal-list", "TREM", "15", "RTMIN+99", "0"});
    CHECK(result.status == 1);
    CHECK(result.out == "TERM\n");
    CHECK(result.err == "signal-list: unknown signal 'TREM'; did you mean TERM?\n"
                        "signal-list: unknown signal 'RTMIN+99'\n"
                        "signal-list: unknown signal '0'\n");
}

TEST_CASE("127 is no status of wait") {
    Scenario scenario;
    const auto result = scenario.run({"signal-list", "--wait-status", "127"});
    CHECK(result.status == 2);
    CHECK(result.err.find("127 is none") != std::string::npos);
    CHECK(scenario.run({"signal-list", "--wait-status", "32512"}).out == "exit 127\n");
}
