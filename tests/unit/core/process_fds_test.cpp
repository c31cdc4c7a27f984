#include "core/process_fds.h"

#include "core/socket_pair.h"

#include <doctest/doctest.h>
#include <limits>
#include <sys/stat.h>
#include <unistd.h>

using namespace ipcbox;

TEST_CASE("the descriptors of a process are seen with what they lead to") {
    const auto pair = make_socket_pair();
    struct stat status {};
    REQUIRE(::fstat(pair.ours.get(), &status) == 0);
    std::string target;
    const auto view = look_at_descriptors(::getpid(), [&](const auto& number, const auto& link) {
        if (number == std::to_string(pair.ours.get())) target = link;
        return true;
    });
    CHECK(view == FdView::whole);
    CHECK(target == socket_link(status.st_ino));
}

TEST_CASE("a search stops when it has seen enough") {
    int seen = 0;
    const auto look = [&](const auto&, const auto&) { return ++seen < 2; };
    CHECK(look_at_descriptors(::getpid(), look) == FdView::whole);
    CHECK(seen == 2);
}

TEST_CASE("a process that is not there is told from one that hides") {
    const auto look = [](const auto&, const auto&) { return true; };
    CHECK(look_at_descriptors(std::numeric_limits<pid_t>::max(), look) == FdView::ended);
}
