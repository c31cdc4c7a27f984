#include "net/socket_owner.h"

#include "core/child.h"
#include "core/fd.h"
#include "harness/scenario.h"
#include "net/listener.h"

#include <cstdio>
#include <doctest/doctest.h>
#include <fmt/format.h>
#include <unistd.h>

using namespace ipcbox;
using test::Scenario;

namespace {

std::string ourselves() {
    return fmt::format("{} (", ::getpid());
}

} // namespace

TEST_CASE("the process that listens on a TCP address is found") {
    for (const auto* host : {"127.0.0.1", "localhost", ""})
        for (const auto& listener : net::listen_tcp(net::HostPort{host, 0})) {
            CHECK(net::socket_owner(listener.address).starts_with(ourselves()));
            const auto elsewhere =
                net::Address::parse_ip("192.0.2.1", listener.address.port()).value();
            CHECK(net::socket_owner(elsewhere).empty() == (*host != '\0'));
        }
    net::Address gone;
    {
        const auto listeners = net::listen_tcp(net::HostPort{"127.0.0.1", 0});
        gone = listeners.front().address;
    }
    CHECK(net::socket_owner(gone).empty());
}

TEST_CASE("the process that has a Unix socket is found") {
    const Scenario scenario;
    for (const auto& name : {scenario.path("socket"), scenario.path("a socket"), scenario.name()}) {
        const net::Listener listener = net::listen_unix(name);
        CHECK(net::socket_owner(listener.address).starts_with(ourselves()));
    }
    CHECK(net::socket_owner(net::Address::unix_path(scenario.path("socket"))).empty());
    CHECK(net::socket_owner(net::Address{}).empty());
}

TEST_CASE("only the user of another user's process is known") {
    if (::geteuid() != 0) {
        MESSAGE("not root: there is no other user");
        return;
    }
    const auto listeners = net::listen_tcp(net::HostPort{"127.0.0.1", 0});
    Child child = fork_child([&] {
        constexpr uid_t nobody = 65534;
        if (::setresuid(nobody, nobody, nobody) < 0) return 2;
        // Close it here: the child has inherited it, and the test would find itself.
        ::close(listeners.front().socket.get());
        return net::socket_owner(listeners.front().address) == "a process of root" ? 0 : 1;
    });
    CHECK(child.wait().as_exit_status() == 0);
}
