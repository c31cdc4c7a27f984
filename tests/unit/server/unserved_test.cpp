#include "server/unserved.h"

#include "core/error.h"
#include "core/poll.h"

#include <cerrno>
#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::server;

namespace {

OpenConnection numbered(unsigned number) {
    OpenConnection connection;
    connection.told.number = number;
    return connection;
}

void wait_for_attempt(const Unserved& unserved) {
    while (!unserved.next_attempt().passed())
        (void)poll_until({}, unserved.next_attempt());
}

} // namespace

TEST_CASE("nothing is due while no connection waits") {
    Unserved unserved;
    CHECK(unserved.empty());
    CHECK(unserved.next_attempt().is_never());
    CHECK_FALSE(unserved.attempt([](OpenConnection&) { FAIL("there is none to start"); }));
}

TEST_CASE("connections are started in their order, after the first pause") {
    Unserved unserved;
    for (const unsigned number : {1U, 2U, 3U})
        unserved.add(numbered(number));
    wait_for_attempt(unserved);
    std::vector<unsigned> started;
    CHECK_FALSE(unserved.attempt(
        [&started](OpenConnection& connection) { started.push_back(connection.told.number); }));
    CHECK(started == std::vector{1U, 2U, 3U});
    CHECK(unserved.empty());
    CHECK(unserved.next_attempt().is_never());
}

TEST_CASE("a shortage that lasts keeps the connections that were not started, for a longer pause") {
    Unserved unserved;
    for (const unsigned number : {1U, 2U, 3U})
        unserved.add(numbered(number));
    unsigned refused = 2;
    std::vector<unsigned> started;
    const auto start = [&](OpenConnection& connection) {
        if (connection.told.number == refused) throw SysError("start", "a program", EAGAIN);
        started.push_back(connection.told.number);
    };
    Duration before = Unserved::first_pause;
    for (int attempts = 0; attempts < 3; ++attempts) {
        wait_for_attempt(unserved);
        const auto shortage = unserved.attempt(start);
        REQUIRE(shortage);
        CHECK(shortage->pause == 2 * before);
        CHECK(shortage->what == "cannot start a program: Resource temporarily unavailable");
        before = shortage->pause;
        CHECK(started == std::vector{1U});
    }
    refused = 0;
    wait_for_attempt(unserved);
    CHECK_FALSE(unserved.attempt(start));
    CHECK(started == std::vector{1U, 2U, 3U});
}

TEST_CASE("connections that were taken out can be put in again, and are then due immediately") {
    Unserved unserved;
    unserved.add(numbered(7));
    auto taken = unserved.take_all();
    CHECK(taken.size() == 1);
    CHECK(unserved.empty());
    CHECK(unserved.next_attempt().is_never());
    unserved.put_back(std::move(taken));
    CHECK(unserved.next_attempt().passed());
    CHECK_FALSE(unserved.attempt([](OpenConnection& one) { CHECK(one.told.number == 7); }));
    CHECK(unserved.empty());
}
