// The client of etcd when members die, stop or lose each other, and when the server is no etcd.
#include "harness/etcd_client.h"
#include "harness/etcd_cluster.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <doctest/doctest.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace ipcbox::etcd;
using namespace std::chrono_literals;

TEST_CASE("the tokens work with three members of etcd") {
    Scenario scenario;
    EtcdCluster cluster{scenario.path("."), {.members = 3}};
    Client client{access_to(cluster.endpoints())};
    // The first member is in use then: it may be slow to answer at first, but not later.
    const auto armed_at_first = [&client] {
        client.set_patience(20s);
        const auto id = armed(client, {"k", ""});
        client.set_patience(500ms);
        return id;
    };

    SUBCASE("calls go on if the member in use is killed, and a watch is reported lost") {
        const auto watch = armed_at_first();
        cluster.kill(0);
        (void)client.call(put("k", "x"), soon());
        CHECK(next_of(client, watch).kind == WatchEvent::Kind::lost);
        const auto next = armed(client, {"k", ""});
        (void)client.call(put("k", "y"), soon());
        CHECK(next_of(client, next).kv.value == "y");
        CHECK(contains(client.problems(), cluster.endpoint(0)));
    }
    SUBCASE("calls go on if the member in use is stopped") {
        const auto watch = armed_at_first();
        cluster.stop(0);
        (void)client.call(put("k", "x"), soon());
        CHECK(next_of(client, watch).kind == WatchEvent::Kind::lost);
        // A stopped member still accepts connections.
        Client other{access_to(cluster.endpoints())};
        other.set_patience(500ms);
        (void)other.call(put("k", "y"), soon());
        cluster.resume(0);
    }
    SUBCASE("without a quorum, a call fails at its deadline and a watch is lost; both come back") {
        const auto watch = armed_at_first();
        cluster.stop(1);
        cluster.stop(2);
        const auto error = failure_of(client, put("k", "x"), Deadline::after(2s));
        CHECK(error.kind() == CallError::Kind::unavailable);
        CHECK(contains(error.what(), "cannot reach etcd: "));
        CHECK(next_of(client, watch).kind == WatchEvent::Kind::lost);
        cluster.resume(1);
        cluster.resume(2);
        (void)client.call(put("k", "x"), soon());
        (void)armed(client, {"k", ""});
    }
    SUBCASE("one dead endpoint of three changes nothing") {
        const RefusedPort dead;
        Client other{access_to("http://127.0.0.1:" + std::to_string(dead.number()) + "," +
                               cluster.endpoints())};
        (void)other.call(put("k", "x"), soon());
    }
}

TEST_CASE("a call to a server that is not etcd fails with that reason") {
    const auto fails = [](const std::string& endpoints, Duration limit) {
        Client client{access_to(endpoints)};
        return failure_of(client, put("k", "x"), Deadline::after(limit));
    };
    // For a call that is repeated until its deadline. A short one may be over before the server is
    // heard.
    const auto fails_because = [&fails](const std::string& endpoints, std::string_view reason) {
        auto error = fails(endpoints, 300ms);
        for (const Duration limit : {Duration{3s}, Duration{20s}})
            if (!contains(error.what(), reason)) error = fails(endpoints, limit);
        CHECK(contains(error.what(), reason));
        return error;
    };
    SUBCASE("nobody listens") {
        const RefusedPort dead;
        const auto place = "http://127.0.0.1:" + std::to_string(dead.number());
        const auto error = fails_because(place, "Connection refused");
        CHECK(error.kind() == CallError::Kind::unavailable);
        CHECK(error.what() == "cannot reach etcd: " + place + ": Connection refused");
    }
    SUBCASE("a host that does not exist") {
        const auto error = fails_because("http://no-such-host.invalid:2379",
                                         "cannot resolve no-such-host.invalid");
        CHECK(error.kind() == CallError::Kind::unavailable);
    }
    SUBCASE("a server that speaks HTTP/1.1 fails the call before its deadline") {
        const Peer portal{[](const Fd& client) {
            say(client, "HTTP/1.1 302 Found\r\nLocation: http://portal.example/\r\n\r\n");
            (void)receive_all(client);
        }};
        const auto error = fails("http://" + portal.text(), 20s);
        CHECK(error.kind() == CallError::Kind::refused);
        CHECK(error.what() == "cannot use etcd: http://" + portal.text() +
                                  ": it answers in HTTP/1.1: no etcd, or its gateway only");
    }
    SUBCASE("a server that speaks first, in another protocol") {
        const Peer greeter{[](const Fd& client) {
            say(client, "220 mail.example ESMTP\r\n");
            (void)receive_all(client);
        }};
        const auto error = fails("http://" + greeter.text(), 20s);
        CHECK(contains(error.what(), "it does not speak HTTP/2: no etcd"));
    }
    SUBCASE("a server that closes, and one that never says a word, are not there yet") {
        const Peer closing{[](const Fd&) {}};
        (void)fails_because("http://" + closing.text(), "closed the connection");
        const Peer silent{[](const Fd& client) { (void)receive_all(client); }};
        (void)fails_because("http://" + silent.text(), "no answer");
    }
}
