// flock(1) and sem(1) of GNU parallel beside our applets.
#include "harness/scenario.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace ipcbox::test;

namespace {

// The beginning of a tool's command line, before the options, and the object that it locks.
struct Tool {
    std::string name;
    std::string lock;

    [[nodiscard]] Words words(const Words& options, const Words& command) const {
        Words all{name};
        all.insert(all.end(), options.begin(), options.end());
        all.push_back(lock);
        all.insert(all.end(), command.begin(), command.end());
        return all;
    }
};

} // namespace

TEST_CASE("sem-take has the options and statuses of flock") {
    Scenario scenario;
    REQUIRE(scenario.run({"sem-create", scenario.key()}).status == 0);
    for (const auto& tool :
         {Tool{"flock", scenario.path("lock")}, Tool{"sem-take", scenario.key()}}) {
        CAPTURE(tool.name);
        const auto status = [&](const Words& options, const Words& command) {
            return scenario.run(tool.words(options, command)).status;
        };
        CHECK(status({}, {"true"}) == 0);
        CHECK(status({}, {"sh", "-c", "exit 3"}) == 3);
        CHECK(status({}, {"sh", "-c", "kill -TERM $$"}) == 128 + 15);
        CHECK(scenario.run(tool.words({}, {"sh", "-c", "cat; echo $1", "sh", "-w"}), "in\n").out ==
              "in\n-w\n");
        auto holder = scenario.start(tool.words({}, {"sh", "-c", "echo in; read line; exit 0"}));
        REQUIRE(holder.line() == "in");
        CHECK(status({"-n"}, {"true"}) == 1);
        CHECK(status({"-n", "-E", "75"}, {"true"}) == 75);
        CHECK(status({"-w", "0.01"}, {"true"}) == 1);
        auto waiter = scenario.start(tool.words({}, {"echo", "mine"}));
        holder.close_input();
        CHECK(waiter.line() == "mine");
        CHECK(holder.wait().status == 0);
    }
}

TEST_CASE("sem-take limits as GNU sem does") {
    Scenario scenario;
    // sem(1) keeps its locks below the home directory.
    const char* home = std::getenv("HOME");
    const std::string old_home = home != nullptr ? home : "/";
    ::setenv("HOME", scenario.path("").c_str(), 1);
    const auto name = scenario.name();
    for (const auto& tool :
         {std::pair{"GNU sem", Words{"sem", "-u", "-j2", "--id", name.substr(1), "--fg"}},
          std::pair{"sem-take", Words{"sem-take", "-j2", name, "--"}}}) {
        CAPTURE(tool.first);
        const auto words = [&](const Words& command) {
            auto all = tool.second;
            all.insert(all.end(), command.begin(), command.end());
            return all;
        };
        CHECK(scenario.run(words({"true"})).status == 0);
        CHECK(scenario.run(words({"false"})).status == 1);
        // Each command reports that it runs, and then waits until we write to its FIFO.
        scenario.write_file("inside", "#!/bin/sh\necho in; read line <$1; exit 0\n");
        REQUIRE(scenario.shell("chmod +x inside; rm -f a b c; mkfifo a b c").status == 0);
        auto one = scenario.start(words({"./inside", "a"}));
        REQUIRE(one.line() == "in");
        auto two = scenario.start(words({"./inside", "b"}));
        REQUIRE(two.line() == "in");
        auto three = scenario.start(words({"./inside", "c"}));
        CHECK(scenario.shell("echo >a").status == 0);
        CHECK(one.wait().status == 0);
        CHECK(three.line() == "in");
        CHECK(scenario.shell("echo >b; echo >c").status == 0);
        CHECK(two.wait().status == 0);
        CHECK(three.wait().status == 0);
    }
    ::setenv("HOME", old_home.c_str(), 1);
}
