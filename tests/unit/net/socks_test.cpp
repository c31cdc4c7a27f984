#include "net/socks.h"

#include "harness/peer.h"
#include "net/connect.h"
#include "net/unreachable.h"

#include <array>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <string_view>
#include <sys/socket.h>
#include <vector>

using namespace ipcbox;
using namespace ipcbox::test;
using namespace std::string_view_literals;

namespace {

Deadline soon() {
    return Deadline::after(std::chrono::seconds{30});
}

// Reads the expected number of bytes. True when they are the expected ones.
bool hears(const Fd& client, std::string_view expected) {
    std::string got(expected.size(), '\0');
    const auto size = ::recv(client.get(), got.data(), got.size(), MSG_WAITALL);
    return size == static_cast<ssize_t>(expected.size()) && got == expected;
}

struct Step {
    std::string_view asked;
    std::string_view answer;
};

// A proxy that expects certain bytes and answers each of them. Afterwards it sends back what the
// client says.
Peer proxy(const std::vector<Step>& steps) {
    return Peer{[steps](const Fd& client) {
        for (const auto& step : steps) {
            if (!hears(client, step.asked)) return;
            say(client, step.answer);
        }
        echo(client);
    }};
}

constexpr auto for_name = "\5\1\0\3\13example.org\0\120"sv;
constexpr auto granted = "\5\0\0\1\0\0\0\0\0\0"sv;

// The target's answer to "hello" through the proxy SERVER.
std::string talk_through(const Peer& server, const net::HostPort& target,
                         const std::optional<net::SocksLogin>& login = std::nullopt,
                         Deadline deadline = soon()) {
    const Fd socket = net::connect_tcp(std::vector{server.address()}, "proxy", {}, soon());
    net::connect_through_socks5(socket, target, login, deadline);
    CHECK(::send(socket.get(), "hello", 5, MSG_NOSIGNAL) == 5);
    ::shutdown(socket.get(), SHUT_WR);
    CHECK(::fcntl(socket.get(), F_SETFL, 0) == 0);
    return receive_all(socket);
}

std::string problem(const Peer& server, const std::optional<net::SocksLogin>& login = {}) {
    try {
        return talk_through(server, {"example.org", 80}, login);
    } catch (const net::SocksError& error) {
        return std::string{"for good: "} + error.what();
    } catch (const net::Unreachable& error) {
        return std::string{"for now: "} + error.what();
    }
}

constexpr auto cannot = "cannot connect to example.org:80 through the SOCKS proxy: ";

} // namespace

TEST_CASE("a name goes to the proxy as a name, an address as its bytes") {
    CHECK(talk_through(proxy({{"\5\1\0"sv, "\5\0"sv}, {for_name, granted}}), {"example.org", 80}) ==
          "hello");
    CHECK(talk_through(proxy({{"\5\1\0"sv, "\5\0"sv}, {"\5\1\0\1\300\0\2\1\1\273"sv, granted}}),
                       {"192.0.2.1", 443}) == "hello");
    CHECK(talk_through(proxy({{"\5\1\0"sv, "\5\0"sv},
                              {"\5\1\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\120"sv, granted}}),
                       {"::1", 80}) == "hello");
}

TEST_CASE("the target's first bytes are left to the reader, whatever address the proxy names") {
    const auto granted_as = [](std::string_view bound) {
        return talk_through(proxy({{"\5\1\0"sv, "\5\0"sv}, {for_name, bound}}),
                            {"example.org", 80});
    };
    CHECK(granted_as("\5\0\0\1\1\2\3\4\5\6banner "sv) == "banner hello");
    CHECK(granted_as("\5\0\0\3\3abc\5\6banner "sv) == "banner hello");
    CHECK(granted_as("\5\0\0\4"
                     "0123456789abcdef\5\6banner "sv) == "banner hello");
}

TEST_CASE("a login is sent when the proxy asks for it, and only then") {
    const net::SocksLogin login{"me", "secret"};
    CHECK(
        talk_through(
            proxy({{"\5\2\0\2"sv, "\5\2"sv}, {"\1\2me\6secret"sv, "\1\0"sv}, {for_name, granted}}),
            {"example.org", 80}, login) == "hello");
    CHECK(talk_through(proxy({{"\5\2\0\2"sv, "\5\0"sv}, {for_name, granted}}), {"example.org", 80},
                       login) == "hello");
    CHECK(problem(proxy({{"\5\2\0\2"sv, "\5\2"sv}, {"\1\2me\6secret"sv, "\1\1"sv}}), login) ==
          std::string{"for good: "} + cannot + "it refuses the user name or the password");
    CHECK(problem(proxy({{"\5\1\0"sv, "\5\377"sv}})) ==
          std::string{"for good: "} + cannot + "it wants a login");
    CHECK(problem(proxy({{"\5\1\0"sv, "\5\2"sv}})) ==
          std::string{"for good: "} + cannot + "it wants a way to log in that we did not offer");
}

TEST_CASE("a refusal says why, and whether another try can help") {
    const auto refusal = [](std::string_view answer) {
        return problem(proxy({{"\5\1\0"sv, "\5\0"sv}, {for_name, answer}}));
    };
    CHECK(refusal("\5\5\0\1\0\0\0\0\0\0"sv) ==
          std::string{"for now: "} + cannot + "Connection refused");
    CHECK(refusal("\5\4\0\1\0\0\0\0\0\0"sv) ==
          std::string{"for now: "} + cannot + "Host is unreachable");
    CHECK(refusal("\5\2\0\1\0\0\0\0\0\0"sv) ==
          std::string{"for good: "} + cannot + "its rules forbid it");
    CHECK(refusal("\5\377\0\1\0\0\0\0\0\0"sv) ==
          std::string{"for good: "} + cannot + "it answers with the number 255");
    CHECK(refusal("\5\0\0\11\0\0"sv) ==
          std::string{"for good: "} + cannot + "its answer has an unknown kind of address");
}

TEST_CASE("a server that is not a SOCKS proxy is recognised") {
    CHECK(problem(Peer{[](const Fd& client) {
              (void)hears(client, "\5\1\0"sv);
              say(client, "HTTP/1.1 400 Bad Request\r\n");
          }}) == std::string{"for good: "} + cannot + "what it says is not SOCKS5");
    CHECK(problem(Peer{[](const Fd& client) { (void)hears(client, "\5\1\0"sv); }}) ==
          std::string{"for now: "} + cannot + "the proxy closed the connection");
    const Peer silent{[](const Fd& client) { (void)receive_all(client); }};
    CHECK_THROWS_WITH_AS((void)talk_through(silent, {"example.org", 80}, {},
                                            Deadline::after(std::chrono::milliseconds{50})),
                         "timed out: connecting to example.org:80 through the SOCKS proxy",
                         TimedOut);
}

TEST_CASE("a name that is too long is an error before anything is sent") {
    const Peer server{echo};
    CHECK_THROWS_AS((void)talk_through(server, {"example.org", 80},
                                       net::SocksLogin{std::string(256, 'x'), "p"}),
                    net::SocksError);
    CHECK_THROWS_AS((void)talk_through(server, {"example.org", 80}, net::SocksLogin{"u", ""}),
                    net::SocksError);
    const auto anyone = proxy({{"\5\1\0"sv, "\5\0"sv}});
    CHECK_THROWS_AS((void)talk_through(anyone, {std::string(256, 'x'), 80}), net::SocksError);
}
