// The way to a server: through a proxy, to the address of --resolve, to the host of --connect-to.
#include "harness/environment.h"
#include "harness/http_peer.h"
#include "harness/peer.h"
#include "harness/scenario.h"

#include <algorithm>
#include <doctest/doctest.h>
#include <fmt/core.h>
#include <sys/socket.h>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::string_view_literals;

namespace {

HttpAnswer greet(const HttpRequest& /*request*/) {
    return ok("hello\n");
}

} // namespace

TEST_CASE("curl: a SOCKS5 proxy gets an address, or the name") {
    Scenario scenario;
    const auto proxy_saying = [](std::string_view expected) {
        return Peer{[expected](const Fd& client) {
            std::string got(expected.size(), '\0');
            if (::recv(client.get(), got.data(), 3, MSG_WAITALL) != 3) return;
            say(client, "\5\0"sv);
            const auto size = ::recv(client.get(), got.data(), expected.size(), MSG_WAITALL);
            if (size != static_cast<ssize_t>(expected.size()) || got != expected) return;
            say(client, "\5\0\0\1\0\0\0\0\0\0"sv);
            say(client, ok("through\n"));
            (void)receive_all(client);
        }};
    };
    constexpr auto by_name = "\5\1\0\3\14host.invalid\0\120"sv;
    constexpr auto by_address = "\5\1\0\1\177\0\0\1\0\120"sv;
    {
        const Peer proxy = proxy_saying(by_name);
        CHECK(scenario.run({"webget", "--socks5-hostname", proxy.text(), "http://host.invalid/"})
                  .out == "through\n");
        CHECK(scenario.run({"webget", "-x", "socks5h://" + proxy.text(), "http://host.invalid/"})
                  .out == "through\n");
    }
    const Peer proxy = proxy_saying(by_address);
    CHECK(scenario.run({"webget", "--socks5", proxy.text(), "http://127.0.0.1/"}).out ==
          "through\n");
    const Variable variable{"all_proxy", "socks5://" + proxy.text()};
    CHECK(scenario.run({"webget", "http://127.0.0.1/"}).out == "through\n");
    CHECK(scenario.run({"webget", "-x", "", "-s", "http://127.0.0.1:1/"}).status == 7);
}

TEST_CASE("curl: -U logs in at the proxy, and --proxytunnel uses a tunnel for http") {
    Scenario scenario;
    const HttpPeer proxy{greet};
    const auto login = [&](const std::string& place) {
        CHECK(scenario.run({"webget", "-x", place, "-U", "u:p", "http://h.invalid/"}).status == 0);
        return proxy.requests().back().field("Proxy-Authorization");
    };
    CHECK(login(proxy.text()) == "Basic dTpw");
    // curl 7.88 takes the login in the URL of the proxy, wherever that URL comes from.
    CHECK(login("a:b@" + proxy.text()) == "Basic YTpi");
    CHECK(login("a@" + proxy.text()) == "Basic YTo=");
    const Variable variable{"http_proxy", "http://a:b@" + proxy.text()};
    CHECK(scenario.run({"webget", "-U", "u:p", "http://h.invalid/"}).status == 0);
    CHECK(proxy.requests().back().field("Proxy-Authorization") == "Basic YTpi");
    (void)scenario.run({"webget", "-s", "-x", proxy.text(), "--proxytunnel", "http://h.invalid/"});
    const auto requests = proxy.requests();
    CHECK(std::ranges::any_of(requests, [](const HttpRequest& request) {
        return request.first_line() == "CONNECT h.invalid:80 HTTP/1.1";
    }));
}

TEST_CASE("curl: no_proxy excepts hosts from the proxy of -x, too, unless --noproxy is given") {
    Scenario scenario;
    const HttpPeer proxy{greet};
    const HttpPeer server{greet};
    for (const char* name : {"no_proxy", "NO_PROXY"}) {
        CAPTURE(name);
        const Variable variable{name, "127.0.0.1"};
        CHECK(scenario.run({"webget", "-x", proxy.text(), server.url("/direct")}).status == 0);
        CHECK(
            scenario.run({"webget", "-x", proxy.text(), "--noproxy", "", server.url("/")}).status ==
            0);
    }
    CHECK(server.targets() == "/direct /direct");
    CHECK(proxy.requests().size() == 2);
}

TEST_CASE("curl: --connect-to holds behind a proxy, too, which then gives a tunnel") {
    Scenario scenario;
    const HttpPeer proxy{greet};
    const HttpPeer other{greet};
    const auto diversion = "h.invalid:80:other.invalid:8080";
    (void)scenario.run({"webget", "-s", "-x", proxy.text(), "--connect-to", diversion,
                        "http://h.invalid/", "http://i.invalid/"});
    const auto requests = proxy.requests();
    REQUIRE(requests.size() >= 2);
    CHECK(requests.front().first_line() == "CONNECT other.invalid:8080 HTTP/1.1");
    CHECK(requests.back().first_line() == "GET http://i.invalid/ HTTP/1.1");
}

TEST_CASE("curl: the last --resolve for a host counts, and more than one for all hosts") {
    Scenario scenario;
    const HttpPeer server{greet};
    const auto port = server.port();
    const auto reaches = [&](const Words& known) {
        Words words{"webget", "-s"};
        for (const auto& one : known)
            words.insert(words.end(), {"--resolve", fmt::format(fmt::runtime(one), port)});
        words.push_back("http://h.invalid:" + port + "/");
        return scenario.run(words).out == "hello\n";
    };
    CHECK(reaches({"h.invalid:{}:127.9.9.9", "h.invalid:{}:127.0.0.1"}));
    CHECK(reaches({"h.invalid:{}:127.0.0.1", "*:{}:127.9.9.9"}));
    CHECK(reaches({"*:{}:127.0.0.1", "h.invalid:{}:127.9.9.9", "-h.invalid:{}"}));
    CHECK_FALSE(reaches({"h.invalid:{}:127.0.0.1", "-h.invalid:{}"}));
}
