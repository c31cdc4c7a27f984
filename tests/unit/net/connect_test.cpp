#include "net/connect.h"

#include "core/error.h"
#include "harness/peer.h"
#include "harness/scenario.h"
#include "net/unreachable.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/socket.h>

using namespace ipcbox;
using test::listen_at;
using test::Scenario;

namespace {

const auto loopback = [](const char* host, std::uint16_t port) {
    return *net::Address::parse_ip(host, port);
};

Deadline soon() {
    return Deadline::after(std::chrono::seconds{30});
}

std::string tcp_failure(const std::vector<net::Address>& addresses,
                        const std::optional<net::Address>& source = {}) {
    try {
        (void)net::connect_tcp(addresses, "target:80", source, soon());
    } catch (const net::Unreachable& error) {
        return error.what();
    }
    return {};
}

bool is_nonblocking(const Fd& fd) {
    return (::fcntl(fd.get(), F_GETFL) & O_NONBLOCK) != 0;
}

} // namespace

TEST_CASE("the first address that answers is taken, and the others are not in the way") {
    const test::RefusedPort port;
    const Fd& server = port.listen();
    const std::vector addresses{loopback("127.0.0.1", port.number()),
                                loopback("::1", port.number())};
    const Fd socket = net::connect_tcp(addresses, "target:80", {}, soon());
    CHECK(is_nonblocking(socket));
    CHECK(net::peer_address(socket.get()) == addresses[0]);
    CHECK(Fd::adopt(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC)));
}

TEST_CASE("when no address answers, the error has the reason for each") {
    const test::RefusedPort port;
    const auto four = loopback("127.0.0.1", port.number());
    const auto six = loopback("::1", port.number());
    CHECK(tcp_failure({four}) ==
          fmt::format("cannot connect to 127.0.0.1:{}: Connection refused", port.number()));
    CHECK(tcp_failure({four, six}) ==
          fmt::format("cannot connect to target:80: [::1]:{0}: Connection refused; 127.0.0.1:{0}: "
                      "Connection refused",
                      port.number()));
}

TEST_CASE("an address that cannot be tried does not stop the others") {
    const test::RefusedPort port;
    (void)port.listen();
    // The socket cannot be bound to an address of another machine, nor to one of another family.
    const auto source = loopback("127.0.0.1", 0);
    const std::vector addresses{loopback("::1", port.number()),
                                loopback("127.0.0.1", port.number())};
    const Fd socket = net::connect_tcp(addresses, "target:80", source, soon());
    CHECK(net::peer_address(socket.get()) == addresses[1]);
    CHECK(tcp_failure({addresses[1]}, loopback("192.0.2.1", 0)) ==
          fmt::format("cannot connect to 127.0.0.1:{}: Cannot assign requested address",
                      port.number()));
}

TEST_CASE("the local address can be chosen") {
    const Fd server = listen_at(loopback("127.0.0.1", 0));
    const auto source = loopback("127.0.0.2", 0);
    const Fd socket = net::connect_tcp(std::vector{net::local_address(server.get())}, "target:80",
                                       source, soon());
    CHECK(net::local_address(socket.get()).host() == "127.0.0.2");
}

TEST_CASE("the deadline holds when nobody accepts") {
    const Fd server = listen_at(loopback("127.0.0.1", 0), 0);
    const std::vector address{net::local_address(server.get())};
    std::vector<Fd> waiting;
    const auto fill = [&] {
        for (;;) // when the backlog is full, Linux drops what comes
            waiting.push_back(net::connect_tcp(address, "target:80", {},
                                               Deadline::after(std::chrono::milliseconds{50})));
    };
    CHECK_THROWS_WITH_AS(fill(), "timed out: connecting to target:80", TimedOut);
}

TEST_CASE("a Unix socket is reached by its file or its name") {
    const Scenario scenario;
    const auto path = net::Address::unix_path(scenario.path("socket"));
    try {
        (void)net::connect_unix(path, soon());
        FAIL("connected");
    } catch (const net::Unreachable& error) {
        CHECK(error.what() ==
              fmt::format("cannot connect to {}: No such file or directory", path.text()));
    }
    for (const auto& address : {path, net::Address::unix_path(scenario.name())}) {
        Fd server = listen_at(address);
        CHECK(is_nonblocking(net::connect_unix(address, soon())));
        CHECK(is_nonblocking(net::connect_unix(address, Deadline::never())));
        server = Fd{};
        CHECK_THROWS_AS((void)net::connect_unix(address, soon()), net::Unreachable);
    }
    scenario.write_file("file", "");
    CHECK_THROWS_AS((void)net::connect_unix(net::Address::unix_path(scenario.path("file")), soon()),
                    net::Unreachable);
}

TEST_CASE("a full backlog makes a Unix client wait, no longer than its deadline") {
    const Scenario scenario;
    const auto address = net::Address::unix_path(scenario.path("socket"));
    const Fd server = listen_at(address, 0);
    const Fd first = net::connect_unix(address, soon());
    const auto limit = std::chrono::milliseconds{50};
    CHECK_THROWS_WITH_AS((void)net::connect_unix(address, Deadline::after(limit)),
                         fmt::format("timed out: connecting to {}", address.text()).c_str(),
                         TimedOut);
    CHECK(Fd::adopt(::accept4(server.get(), nullptr, nullptr, SOCK_CLOEXEC)));
    CHECK(net::connect_unix(address, soon()));
}
