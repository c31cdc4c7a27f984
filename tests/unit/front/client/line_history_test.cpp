#include "front/client/line_history.h"

#include "harness/scenario.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <sys/stat.h>

using namespace ipcbox::front;

TEST_CASE("lines are kept in a private file, for the next time") {
    ipcbox::test::Scenario scenario;
    {
        LineHistory history{scenario.path("deep/er/history")};
        CHECK(history.lines().empty());
        history.add("one");
        history.add("two");
        history.add("two");
        history.add(" secret");
        history.add("");
    }
    CHECK(scenario.read_file("deep/er/history") == "one\ntwo\n");
    struct stat status {};
    REQUIRE(::stat("deep/er/history", &status) == 0);
    CHECK((status.st_mode & 07777) == 0600);
    CHECK(LineHistory{scenario.path("deep/er/history")}.lines() ==
          std::vector<std::string>{"one", "two"});
}

TEST_CASE("a file that has grown is cut to its last lines") {
    ipcbox::test::Scenario scenario;
    std::string text;
    for (std::size_t line = 0; line < 2 * LineHistory::max_lines; ++line)
        text += std::to_string(line) + '\n';
    scenario.write_file("history", text);
    const LineHistory history{scenario.path("history")};
    CHECK(history.lines().size() == LineHistory::max_lines);
    CHECK(history.lines().front() == "1000");
    CHECK(scenario.read_file("history").starts_with("1000\n1001\n"));
    CHECK(scenario.read_file("history").ends_with("\n1999\n"));
}

TEST_CASE("each server has a file of its own") {
    ::setenv("XDG_STATE_HOME", "/state", 1); // NOLINT(concurrency-mt-unsafe)
    CHECK(history_file("[::1]:25") == "/state/ipcbox/tcp-interact/[::1]:25");
    CHECK(history_file("unix:/run/a%b") == "/state/ipcbox/tcp-interact/unix:%2Frun%2Fa%25b");
    ::setenv("XDG_STATE_HOME", "relative", 1); // NOLINT(concurrency-mt-unsafe)
    CHECK(!history_file("a:1").starts_with("relative"));
    ::unsetenv("XDG_STATE_HOME"); // NOLINT(concurrency-mt-unsafe)
}
