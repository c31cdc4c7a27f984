#include "server/lifetime.h"

#include <csignal>
#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::server;

namespace {

using Order = Lifetime::Order;

constexpr std::chrono::hours long_time{1};
constexpr Duration no_time{};

} // namespace

TEST_CASE("HUP restarts a server that serves, and no other") {
    Lifetime lifetime{long_time, std::nullopt};
    CHECK(lifetime.take(SIGHUP) == Order::restart);
    CHECK(lifetime.is_restarting());
    CHECK_FALSE(lifetime.is_ending());
    CHECK(lifetime.take(SIGHUP) == Order::none);
    lifetime.serve();
    CHECK_FALSE(lifetime.is_restarting());
    CHECK(lifetime.take(SIGHUP) == Order::restart);
    CHECK(lifetime.take(SIGTERM) == Order::drain);
    CHECK(lifetime.take(SIGHUP) == Order::none);
    CHECK_FALSE(lifetime.is_restarting());
}

TEST_CASE("TERM and INT begin the grace, and other signals change nothing") {
    for (const int signal : {SIGTERM, SIGINT}) {
        Lifetime lifetime{long_time, std::nullopt};
        CHECK(lifetime.take(SIGUSR1) == Order::none);
        CHECK(lifetime.take(SIGCHLD) == Order::none);
        CHECK(lifetime.next_deadline().is_never());
        CHECK(lifetime.take(signal) == Order::drain);
        CHECK(lifetime.is_ending());
        CHECK_FALSE(lifetime.is_cut_short());
        CHECK_FALSE(lifetime.next_deadline().is_never());
        CHECK_FALSE(lifetime.next_signal());
    }
}

TEST_CASE("after the grace the programs get TERM, and have time until KILL") {
    Lifetime lifetime{no_time, std::nullopt};
    CHECK_FALSE(lifetime.next_signal());
    CHECK(lifetime.take(SIGTERM) == Order::drain);
    CHECK(lifetime.next_signal() == SIGTERM);
    CHECK(lifetime.is_cut_short());
    CHECK_FALSE(lifetime.next_deadline().is_never());
}

TEST_CASE("a second TERM kills the programs at once, and so does each further one") {
    Lifetime lifetime{long_time, std::nullopt};
    CHECK(lifetime.take(SIGTERM) == Order::drain);
    for (const int signal : {SIGTERM, SIGINT}) {
        CHECK(lifetime.take(signal) == Order::none);
        CHECK(lifetime.is_cut_short());
        CHECK(lifetime.next_signal() == SIGKILL);
        CHECK(lifetime.next_deadline().is_never());
        CHECK_FALSE(lifetime.next_signal());
    }
}

TEST_CASE("the idle time begins when there are no connections, and its end drains") {
    Lifetime patient{long_time, long_time};
    CHECK(patient.look(false, 0) == Order::none);
    CHECK_FALSE(patient.next_deadline().is_never());
    CHECK(patient.look(true, 1) == Order::none);
    CHECK(patient.next_deadline().is_never());

    Lifetime hurried{long_time, no_time};
    CHECK(hurried.look(true, 1) == Order::none);
    CHECK_FALSE(hurried.is_ending());
    CHECK(hurried.look(false, 1) == Order::drain);
    CHECK(hurried.is_ending());
    CHECK(hurried.look(false, 1) == Order::none);
}

TEST_CASE("a connection that ended before the look starts the idle time again") {
    Lifetime lifetime{long_time, long_time};
    CHECK(lifetime.look(false, 0) == Order::none);
    const auto first = lifetime.next_deadline();
    CHECK(lifetime.look(false, 0) == Order::none);
    CHECK(lifetime.next_deadline() == first);
    while (Deadline::after(long_time) == first) {
    }
    CHECK(lifetime.look(false, 1) == Order::none);
    CHECK(first < lifetime.next_deadline());
}

TEST_CASE("a server that ends or restarts has no idle time, and one without it never drains") {
    Lifetime ending{long_time, no_time};
    CHECK(ending.take(SIGTERM) == Order::drain);
    CHECK(ending.look(false, 0) == Order::none);
    Lifetime restarting{long_time, no_time};
    CHECK(restarting.take(SIGHUP) == Order::restart);
    CHECK(restarting.look(false, 0) == Order::none);
    Lifetime endless{long_time, std::nullopt};
    CHECK(endless.look(false, 0) == Order::none);
    CHECK(endless.next_deadline().is_never());
}
