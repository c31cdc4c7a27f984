#include "server/proxy_entrance.h"

#include "core/io.h"
#include "core/poll.h"
#include "core/socket_pair.h"

#include <doctest/doctest.h>
#include <sys/socket.h>

using namespace ipcbox;
using namespace ipcbox::server;

namespace {

constexpr std::chrono::seconds patient{30};

// A connection that waits, and the client's end of it.
struct Guest {
    Fd client;
    OpenConnection connection;
};

Guest make_guest() {
    auto pair = make_socket_pair();
    Guest guest{std::move(pair.theirs), {}};
    guest.connection.told.started = Deadline::Clock::now();
    guest.connection.socket = std::move(pair.ours);
    return guest;
}

void say(const Fd& client, std::string_view text) {
    write_all(client.get(), text, "a socket");
}

} // namespace

TEST_CASE("a connection arrives once its PROXY header is complete, and its next byte is its own") {
    const Event changed;
    ProxyEntrance entrance{patient, changed};
    auto guest = make_guest();
    entrance.add(std::move(guest.connection));
    CHECK(changed.clear());
    CHECK(entrance.arrivals().empty());
    say(guest.client, "PROXY TCP4 192.0.2.7 192.0.2.1 5000");
    CHECK(entrance.arrivals().empty());
    CHECK_FALSE(entrance.empty());
    say(guest.client, "0 80\r\nhello");
    const auto arrived = entrance.arrivals();
    REQUIRE(arrived.size() == 1);
    CHECK(arrived[0].problem.empty());
    CHECK(arrived[0].connection.told.peer.text() == "192.0.2.7:50000");
    CHECK(arrived[0].connection.told.local.text() == "192.0.2.1:80");
    CHECK(arrived[0].connection.told.is_peer_the_client);
    std::array<std::byte, 16> rest{};
    CHECK(read_some(arrived[0].connection.socket.get(), rest, "a socket") == 5);
    CHECK(entrance.empty());
}

TEST_CASE("a header that is wrong, late or missing is reported") {
    const Event changed;
    SUBCASE("wrong") {
        ProxyEntrance entrance{patient, changed};
        auto guest = make_guest();
        say(guest.client, "GET / HTTP/1.1\r\n\r\n");
        entrance.add(std::move(guest.connection));
        const auto arrived = entrance.arrivals();
        REQUIRE(arrived.size() == 1);
        CHECK(arrived[0].problem.starts_with("its PROXY header is invalid: "));
    }
    SUBCASE("late") {
        ProxyEntrance entrance{Duration::zero(), changed};
        auto guest = make_guest();
        entrance.add(std::move(guest.connection));
        CHECK(entrance.next_deadline().passed());
        const auto arrived = entrance.arrivals();
        REQUIRE(arrived.size() == 1);
        CHECK(arrived[0].problem == "no PROXY header came in time");
    }
    SUBCASE("missing") {
        ProxyEntrance entrance{patient, changed};
        auto guest = make_guest();
        guest.client = Fd{};
        entrance.add(std::move(guest.connection));
        const auto arrived = entrance.arrivals();
        REQUIRE(arrived.size() == 1);
        CHECK(arrived[0].problem == "it ended without a PROXY header");
    }
}

TEST_CASE("the connection whose time ends first decides the deadline") {
    const Event changed;
    ProxyEntrance entrance{patient, changed};
    CHECK(entrance.next_deadline().is_never());
    auto later = make_guest();
    auto sooner = make_guest();
    sooner.connection.told.started -= std::chrono::seconds{20};
    entrance.add(std::move(later.connection));
    const auto before = entrance.next_deadline();
    entrance.add(std::move(sooner.connection));
    CHECK(entrance.next_deadline() < before);
}

TEST_CASE("connections that still wait are handed over with their bytes") {
    const Event changed;
    ProxyEntrance entrance{patient, changed};
    auto guest = make_guest();
    say(guest.client, "PROXY");
    entrance.add(std::move(guest.connection));
    CHECK(entrance.arrivals().empty());
    std::vector<pollfd> entries;
    entrance.add_polled(entries);
    CHECK(entries.size() == 1);
    const auto all = entrance.take_all();
    REQUIRE(all.size() == 1);
    CHECK(entrance.empty());
    std::array<std::byte, 16> bytes{};
    CHECK(read_some(all[0].socket.get(), bytes, "a socket") == 5);
}
