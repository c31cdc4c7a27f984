#include "http/route.h"

#include "harness/peer.h"
#include "harness/scenario.h"
#include "http/failure.h"

#include <doctest/doctest.h>
#include <fmt/core.h>
#include <stdexcept>

using namespace ipcbox;
using namespace ipcbox::http;
using namespace ipcbox::test;

namespace {

Deadline soon() {
    return Deadline::after(std::chrono::seconds{30});
}

std::string key_of(const char* url, std::optional<Proxy> proxy = std::nullopt) {
    return Route{Url::parse(url), std::move(proxy)}.key();
}

Route to(const std::string& url, const RouteOptions& options) {
    return route_to(Url::parse(url), options);
}

// The status of the failure to reach URL.
int failure(const std::string& url, const RouteOptions& options) {
    Milestones milestones;
    try {
        (void)open(to(url, options), options, milestones, soon());
    } catch (const TransferError& error) {
        return error.status();
    }
    return 0;
}

// A server that sends WORDS before it is asked.
Peer server(std::string_view words) {
    return Peer{[words](const Fd& client) {
        say(client, words);
        (void)receive_all(client);
    }};
}

std::string head_over(http::Connection& connection) {
    return connection.read_head(ResponseParser::Asked::document, soon()).reason;
}

} // namespace

TEST_CASE("--resolve names the addresses of a host") {
    const auto known = KnownAddress::parse("Host:8080:192.0.2.1,2001:db8::1,[::1]");
    CHECK(known.host == "host"); // as in a URL
    CHECK(known.port == 8080);
    REQUIRE(known.addresses.size() == 3);
    CHECK(known.addresses[0].text() == "192.0.2.1:8080");
    CHECK(known.addresses[1].text() == "[2001:db8::1]:8080");
    CHECK(known.addresses[2].text() == "[::1]:8080");
    CHECK(KnownAddress::parse("+h:80:::1").host == "h");
    CHECK(KnownAddress::parse("*:http:::1").port == 80);
    CHECK(KnownAddress::parse("[::1]:80:::1").host == "::1");
    CHECK(KnownAddress::parse("-h:80").addresses.empty());
    CHECK(KnownAddress::parse("-h:80:::1").addresses.empty());
    for (const auto* text :
         {"", "host", "host:80", "host:80:", "host:80:,", "host:0:::1", "host:65536:::1",
          "host:x:::1", "host::::1", "host:80:name", "host:80:192.0.2", "[::1:80:::1"})
        CHECK_THROWS_AS((void)KnownAddress::parse(text), std::invalid_argument);
}

TEST_CASE("--connect-to names both hosts and both ports") {
    const auto all = Diversion::parse("[::1]:80:Other:8080");
    CHECK(all.from_host == "::1");
    CHECK(all.from_port == 80);
    CHECK(all.to_host == "other");
    CHECK(all.to_port == 8080);
    const auto none = Diversion::parse(":::");
    CHECK(none.from_host.empty());
    CHECK_FALSE(none.from_port);
    CHECK(none.to_host.empty());
    CHECK_FALSE(none.to_port);
    for (const auto* text : {"", "::", "::::", "a:b:c:d", "a:80:b:0", "a:65536::", "::1:80:a:80"})
        CHECK_THROWS_AS((void)Diversion::parse(text), std::invalid_argument);
}

TEST_CASE("requests with the same way have the same key") {
    const Proxy proxy{"proxy", 3128, std::nullopt};
    CHECK(key_of("http://host/a") == key_of("http://HOST:80/b?c"));
    CHECK(key_of("http://host/") != key_of("https://host/"));
    CHECK(key_of("http://host/") != key_of("http://host:81/"));
    CHECK(key_of("http://host/") != key_of("http://other/"));
    // The same address on two interfaces means two hosts.
    CHECK(key_of("http://[fe80::1%25one]/") != key_of("http://[fe80::1%25two]/"));
    CHECK(key_of("http://host/", proxy) == key_of("http://other:81/", proxy));
    CHECK(key_of("https://host/", proxy) != key_of("https://other/", proxy));
    CHECK(key_of("https://host/", proxy) != key_of("http://host/", proxy));
    CHECK(key_of("https://host/", proxy) != key_of("https://host/"));
    CHECK(key_of("http://host/", proxy) != key_of("http://host/", Proxy{"proxy", 3129, {}}));
}

TEST_CASE("a Unix socket needs no proxy") {
    RouteOptions options;
    CHECK_FALSE(to("http://host/", options).proxy);
    options.proxy = [](const Url&) { return Proxy{"proxy", 3128, {}}; };
    CHECK(to("http://host/", options).forwards());
    CHECK(to("https://host/", options).proxy);
    CHECK_FALSE(to("https://host/", options).forwards());
    options.unix_socket = "/socket";
    CHECK_FALSE(to("http://host/", options).proxy);
}

TEST_CASE("a route goes straight, to a known address, diverted or to a Unix socket") {
    const Scenario scenario;
    const auto peer = server("HTTP/1.1 200 TCP\r\n\r\n");
    const auto port = peer.address().port();
    const Peer local{net::Address::unix_path(scenario.path("socket")), [](const Fd& client) {
                         say(client, "HTTP/1.1 200 Unix\r\n\r\n");
                         (void)receive_all(client);
                     }};
    const auto answer = [](const std::string& url, const RouteOptions& options) {
        Milestones times;
        times.start = Deadline::Clock::now();
        const auto connection = open(to(url, options), options, times, soon());
        CHECK(times.start <= times.resolved);
        CHECK(times.resolved <= times.connected);
        CHECK(times.connected == times.secured);
        return head_over(*connection);
    };
    RouteOptions options;
    CHECK(answer(fmt::format("http://127.0.0.1:{}/", port), options) == "TCP");
    options.known = {KnownAddress::parse(fmt::format("name.invalid:{}:127.0.0.1", port))};
    CHECK(answer(fmt::format("http://Name.Invalid:{}/", port), options) == "TCP");
    options.known = {KnownAddress::parse(fmt::format("*:{}:127.0.0.1", port))};
    CHECK(answer(fmt::format("http://other.invalid:{}/", port), options) == "TCP");
    options.known.clear();
    options.diversions = {Diversion::parse("elsewhere:::1"),
                          Diversion::parse(fmt::format("name.invalid:80:127.0.0.1:{}", port))};
    CHECK(answer("http://name.invalid/", options) == "TCP");
    options.unix_socket = scenario.path("socket");
    CHECK(answer("http://name.invalid/", options) == "Unix");
}

TEST_CASE("the status shows which step failed") {
    const Scenario scenario;
    const RefusedPort refused;
    RouteOptions options;
    const auto nobody = fmt::format("http://127.0.0.1:{}/", refused.number());
    CHECK(failure(nobody, options) == status::cannot_connect);
    // The resolver cannot even ask for this name: a label has at most 63 bytes (RFC 1035).
    const std::string no_name(64, 'a');
    CHECK(failure("http://" + no_name + "/", options) == status::cannot_resolve);
    options.proxy = [&](const Url&) { return Proxy{no_name, 80, {}}; };
    CHECK(failure(nobody, options) == status::cannot_resolve_proxy);
    options.proxy = [&](const Url&) { return Proxy{"127.0.0.1", refused.number(), {}}; };
    CHECK(failure("http://name.invalid/", options) == status::cannot_connect);
    options.unix_socket = scenario.path("nothing");
    CHECK(failure(nobody, options) == status::cannot_connect);
}

TEST_CASE("a proxy that opens no tunnel is an error") {
    const auto peer = server("HTTP/1.1 407 Who are you\r\nContent-Length: 3\r\n\r\nabc");
    RouteOptions options;
    options.proxy = [&](const Url&) { return Proxy{"127.0.0.1", peer.address().port(), {}}; };
    Milestones milestones;
    const auto message = fmt::format("the proxy 127.0.0.1:{} refuses a tunnel: 407 Who are you",
                                     peer.address().port());
    CHECK_THROWS_WITH_AS(
        (void)open(to("https://name.invalid/", options), options, milestones, soon()),
        message.c_str(), TransferError);
}
