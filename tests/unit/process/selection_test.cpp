#include "process/selection.h"

#include "core/error.h"
#include "harness/scenario.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <filesystem>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::process;

namespace {

bool has(const std::vector<Identity>& found, pid_t pid) {
    return std::ranges::find(found, pid, &Identity::pid) != found.end();
}

} // namespace

TEST_CASE("processes are selected by all conditions together") {
    Criteria criteria;
    CHECK(criteria.is_empty());
    criteria.group = ::getpgrp();
    CHECK(has(select(criteria), ::getpid()));
    criteria.session = ::getsid(0);
    criteria.user = ::geteuid();
    criteria.executable = "/proc/self/exe";
    CHECK_FALSE(criteria.is_empty());
    CHECK(has(select(criteria), ::getpid()));
    criteria.name = "nobody's name";
    CHECK(select(criteria).empty());
    criteria.executable = "none";
    CHECK_THROWS_AS((void)select(criteria), SysError);
}

TEST_CASE("a program is known by its file") {
    CHECK(runs_program(::getpid(), "/proc/self/exe") == true);
    CHECK(runs_program(::getpid(), "/bin/sh") == false);
    CHECK(runs_program(::getpid(), "none") == false);
    CHECK_FALSE(runs_program(4'194'304, "/bin/sh"));
}

TEST_CASE("a pid file has a number, and nothing else is taken for one") {
    test::Scenario scenario;
    const auto read = [&](const char* text) {
        scenario.write_file("pid", text);
        return read_pid_file("pid");
    };
    CHECK(read("812\n") == Identity{812, std::nullopt});
    CHECK(read("812:99") == Identity{812, 99});
    CHECK(read("812\nmore lines\n") == Identity{812, std::nullopt});
    // Postfix aligns the number to the right.
    CHECK(read("            812\n") == Identity{812, std::nullopt});
    for (const char* text : {"", "\n", " ", "x\n", "-1\n", "0", "+812", " x 812\n",
                             "\x7f"
                             "ELF"})
        CHECK_THROWS_AS((void)read(text), Error);
    CHECK_THROWS_AS((void)read_pid_file("none"), Error);
    std::filesystem::create_directory("directory");
    CHECK_THROWS_AS((void)read_pid_file("directory"), Error);
}
