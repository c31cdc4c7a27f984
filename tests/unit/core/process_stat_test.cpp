#include "core/process_stat.h"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace ipcbox;

TEST_CASE("a stat line is read field by field") {
    const auto stat = parse_process_stat(
        "812 (backup.sh) S 1 700 600 34816 900 4194304 1 2 3 4 10 20 30 40 20 0 3 0 5829341 9 9\n");
    REQUIRE(stat);
    CHECK(stat->pid == 812);
    CHECK(stat->name == "backup.sh");
    CHECK(stat->state == 'S');
    CHECK(stat->parent == 1);
    CHECK(stat->group == 700);
    CHECK(stat->session == 600);
    CHECK(stat->cpu_ticks == 100);
    CHECK(stat->threads == 3);
    CHECK(stat->start_ticks == 5829341);
    CHECK_FALSE(stat->has_ended());
}

TEST_CASE("a name with parentheses, blanks and line feeds does not shift the fields") {
    const auto stat =
        parse_process_stat("7 (a) Z 1 (\n) Z 3 4 5 0 -1 0 0 0 0 0 1 1 1 1 20 0 1 0 99 0");
    REQUIRE(stat);
    CHECK(stat->name == "a) Z 1 (\n");
    CHECK(stat->parent == 3);
    CHECK(stat->start_ticks == 99);
    CHECK(stat->has_ended());
}

TEST_CASE("a text that is not a stat line is nothing") {
    for (const char* line :
         {"", "812", "812 (", "812 (a)", "812 (a) ", "(a) S 1", "x (a) S 1", ") ("})
        CHECK_FALSE(parse_process_stat(line));
    // If a line is cut short, the missing fields are zero.
    const auto stat = parse_process_stat("812 (a) S");
    REQUIRE(stat);
    CHECK(stat->state == 'S');
    CHECK(stat->start_ticks == 0);
}

TEST_CASE("our own stat is ours, and a process that is not there has none") {
    const auto stat = read_process_stat(::getpid());
    REQUIRE(stat);
    CHECK(stat->pid == ::getpid());
    CHECK(stat->parent == ::getppid());
    CHECK(stat->group == ::getpgrp());
    CHECK(stat->start_ticks > 0);
    CHECK_FALSE(read_process_stat(4'194'304));
    CHECK(ticks_in_seconds(stat->start_ticks) > 0);
}
