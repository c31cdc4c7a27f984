#include "server/builtin_answers.h"

#include <doctest/doctest.h>

using namespace ipcbox;

TEST_CASE("who and motd say so when their files are missing") {
    CHECK(server::who_answer("/nonexistent/utmp") == "Nobody is logged in.\n");
    CHECK(server::motd_answer("/nonexistent/motd") == "There is no message of the day.\n");
}

TEST_CASE("half a record of a login is not a login") {
    CHECK(server::who_answer("/proc/self/cmdline") == "Nobody is logged in.\n");
}

TEST_CASE("motd is the file as it is") {
    CHECK_FALSE(server::motd_answer("/proc/self/cmdline").empty());
}

TEST_CASE("each saying is one line") {
    for (unsigned number = 0; number < 7; ++number) {
        const auto text = server::saying(number);
        CHECK(text.find('\n') == text.size() - 1);
    }
}
