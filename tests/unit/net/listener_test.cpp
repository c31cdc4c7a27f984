#include "net/listener.h"

#include "core/child.h"
#include "core/error.h"
#include "core/poll.h"
#include "harness/scenario.h"

#include <cstdlib>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

using namespace ipcbox;
using test::Scenario;

namespace {

// A blocking connection to ADDRESS. Empty when it is refused.
Fd connect_to(const net::Address& address) {
    Fd socket = Fd::adopt(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (::connect(socket.get(), address.data(), address.size()) < 0) return {};
    return socket;
}

net::Address at(const char* ip, std::uint16_t port) {
    return net::Address::parse_ip(ip, port).value();
}

int option_of(const Fd& socket, int level, int name) {
    int value = -1;
    socklen_t size = sizeof value;
    CHECK(::getsockopt(socket.get(), level, name, &value, &size) == 0);
    return value;
}

bool is_close_on_exec(const Fd& socket) {
    return (::fcntl(socket.get(), F_GETFD) & FD_CLOEXEC) != 0;
}
bool is_nonblocking(const Fd& socket) {
    return (::fcntl(socket.get(), F_GETFL) & O_NONBLOCK) != 0;
}

std::string failure(const net::HostPort& where) {
    try {
        (void)net::listen_tcp(where);
    } catch (const Error& error) {
        return error.what();
    }
    return "no failure";
}

// Calls inherited_listeners() in a process that has DESCRIPTOR as number 3. Returns 0 if CHECKED
// accepts the result.
template <class Checked>
int started_with(int descriptor, const char* count, net::ListenerKind kind, Checked checked) {
    Child child = fork_child([&] {
        const int kept = ::fcntl(descriptor, F_DUPFD, 100);
        ::dup2(kept, 3);
        ::setenv("LISTEN_PID", fmt::format("{}", ::getpid()).c_str(), 1);
        ::setenv("LISTEN_FDS", count, 1);
        ::setenv("LISTEN_FDNAMES", "web", 1);
        try {
            const bool right = checked(net::inherited_listeners(kind), "");
            const bool unset = std::getenv("LISTEN_PID") == nullptr &&
                               std::getenv("LISTEN_FDS") == nullptr &&
                               std::getenv("LISTEN_FDNAMES") == nullptr;
            return right && unset ? 0 : 1;
        } catch (const Error& error) {
            return checked({}, error.what()) ? 0 : 1;
        }
    });
    return child.wait().as_exit_status();
}

} // namespace

TEST_CASE("a port alone is for all interfaces, IPv6 and IPv4") {
    const auto listeners = net::listen_tcp(net::HostPort{{}, 0});
    REQUIRE(listeners.size() == 1);
    const auto& only = listeners.front();
    const auto port = only.address.port();
    CHECK(port != 0);
    CHECK((only.text == fmt::format("[::]:{} (all interfaces)", port) ||
           only.text == fmt::format("0.0.0.0:{} (all IPv4 interfaces)", port)));
    CHECK(connect_to(at("127.0.0.1", port)));
    if (only.address.family() == AF_INET6) CHECK(connect_to(at("::1", port)));
    CHECK(is_close_on_exec(only.socket));
    CHECK(is_nonblocking(only.socket));
    CHECK_FALSE(only.file);
}

TEST_CASE("localhost is every loopback address, on one port") {
    const auto listeners = net::listen_tcp(net::HostPort{"localhost", 0});
    REQUIRE(!listeners.empty());
    for (const auto& listener : listeners) {
        CHECK(listener.address.port() == listeners.front().address.port());
        CHECK(listener.text == listener.address.text());
        CHECK(connect_to(listener.address));
    }
    CHECK(listeners.back().address.host() == "127.0.0.1");
    if (listeners.size() > 1) CHECK(listeners.front().address.host() == "::1");
}

TEST_CASE("connections inherit the options of their listener") {
    const auto listeners = net::listen_tcp(net::HostPort{"127.0.0.1", 0});
    REQUIRE(listeners.size() == 1);
    const Fd client = connect_to(listeners.front().address);
    // connect(2) returns when the client has its answer, which may be before the server has the
    // connection.
    const int listener = listeners.front().socket.get();
    REQUIRE(wait_for(listener, POLLIN, Deadline::after(std::chrono::seconds{30})));
    const Fd server = Fd::adopt(::accept(listener, nullptr, nullptr));
    CHECK(option_of(server, IPPROTO_TCP, TCP_NODELAY) == 1);
    CHECK(option_of(server, SOL_SOCKET, SO_KEEPALIVE) == 1);
}

TEST_CASE("a wildcard address is for all interfaces of its family") {
    const auto four = net::listen_tcp(net::HostPort{"0.0.0.0", 0});
    const auto port = four.front().address.port();
    CHECK(four.front().text == fmt::format("0.0.0.0:{} (all IPv4 interfaces)", port));
    if (!connect_to(at("127.0.0.1", port))) FAIL("not reached over IPv4");
    const Fd probe = Fd::adopt(::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto any = at("::", 0);
    if (::bind(probe.get(), any.data(), any.size()) < 0) {
        MESSAGE("no IPv6 here");
        return;
    }
    const auto six = net::listen_tcp(net::HostPort{"::", 0});
    const auto six_port = six.front().address.port();
    CHECK(six.front().text == fmt::format("[::]:{} (all IPv6 interfaces)", six_port));
    // Another program may have this port in IPv4. If so, it is not for us to say what it does.
    const Fd own = Fd::adopt(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto same_port = at("127.0.0.1", six_port);
    if (::bind(own.get(), same_port.data(), same_port.size()) == 0)
        CHECK_FALSE(connect_to(same_port));
    else
        CHECK(option_of(six.front().socket, IPPROTO_IPV6, IPV6_V6ONLY) == 1);
}

TEST_CASE("an error about a port in use names the process") {
    const auto first = net::listen_tcp(net::HostPort{"127.0.0.1", 0});
    const auto port = first.front().address.port();
    const auto by = fmt::format(": Address already in use (by {} (", ::getpid());
    CHECK(failure(net::HostPort{"127.0.0.1", port})
              .starts_with(fmt::format("cannot listen on 127.0.0.1:{}{}", port, by)));
    // The holder is named when we want all interfaces and it has one, and the other way round.
    CHECK(failure(net::HostPort{{}, port}).find(by) != std::string::npos);
    const auto all = net::listen_tcp(net::HostPort{{}, 0});
    const auto all_port = all.front().address.port();
    CHECK(failure(net::HostPort{"127.0.0.1", all_port}).find(by) != std::string::npos);
    CHECK(failure(net::HostPort{"localhost", all_port}).find(by) != std::string::npos);
}

TEST_CASE("an address of another machine is an error") {
    CHECK(failure(net::HostPort{"192.0.2.1", 0}) ==
          "cannot listen on 192.0.2.1:0: Cannot assign requested address (no interface of this "
          "machine has it)");
}

TEST_CASE("a port for root alone is an error that says so") {
    Child child = fork_child([] {
        constexpr uid_t nobody = 65534;
        if (::geteuid() == 0 && ::setresuid(nobody, nobody, nobody) < 0) return 2;
        const auto text = failure(net::HostPort{"127.0.0.1", 1});
        return text == "cannot listen on 127.0.0.1:1: Permission denied (ports below 1024 are for "
                       "root)"
                   ? 0
                   : 1;
    });
    const int status = child.wait().as_exit_status();
    int first = 1024;
    if (FILE* file = std::fopen("/proc/sys/net/ipv4/ip_unprivileged_port_start", "re")) {
        if (std::fscanf(file, "%d", &first) != 1) first = 0;
        std::fclose(file);
    }
    if (first == 1024)
        CHECK(status == 0);
    else
        MESSAGE("ports are for everybody here");
}

TEST_CASE("an abstract name cannot be used twice") {
    const Scenario scenario;
    const auto name = scenario.name();
    const net::Listener listener = net::listen_unix(name);
    CHECK(listener.text == name);
    CHECK(listener.address.is_abstract());
    CHECK_FALSE(listener.file);
    CHECK(is_close_on_exec(listener.socket));
    CHECK(is_nonblocking(listener.socket));
    CHECK(connect_to(listener.address));
    const auto expected =
        fmt::format("cannot listen on {}: Address already in use (by {} (", name, ::getpid());
    try {
        (void)net::listen_unix(name);
        FAIL("it listens twice");
    } catch (const Error& error) {
        CHECK(std::string_view{error.what()}.starts_with(expected));
    }
}

TEST_CASE("a Unix socket and its file end together") {
    const Scenario scenario;
    const auto path = scenario.path("socket");
    {
        const net::Listener listener = net::listen_unix(path);
        CHECK(listener.text == path);
        CHECK(connect_to(listener.address));
    }
    CHECK_FALSE(scenario.exists("socket"));
    CHECK_FALSE(scenario.exists("socket.lock"));
    CHECK_THROWS_AS((void)net::listen_unix(std::string(108, 'x')), Error);
    CHECK_THROWS_AS((void)net::listen_unix(""), Error);
}

TEST_CASE("the sockets that we are started with are taken") {
    const Scenario scenario;
    const auto tcp = net::listen_tcp(net::HostPort{"127.0.0.1", 0});
    const net::Listener local = net::listen_unix(scenario.name());
    const auto& web = tcp.front();

    CHECK(started_with(web.socket.get(), "1", net::ListenerKind::tcp,
                       [&](const std::vector<net::Listener>& found, std::string_view) {
                           return found.size() == 1 && found.front().address == web.address &&
                                  found.front().text == web.text &&
                                  is_close_on_exec(found.front().socket) &&
                                  is_nonblocking(found.front().socket);
                       }) == 0);
    CHECK(started_with(local.socket.get(), "1", net::ListenerKind::unix_domain,
                       [&](const std::vector<net::Listener>& found, std::string_view) {
                           return found.size() == 1 && found.front().text == local.text;
                       }) == 0);

    const auto refuses = [](std::string_view expected) {
        const auto message = fmt::format("cannot use the descriptor 3 that we were given: expected "
                                         "a listening {} socket",
                                         expected);
        return [message](const std::vector<net::Listener>& found, std::string_view error) {
            return found.empty() && error == message;
        };
    };
    CHECK(started_with(local.socket.get(), "1", net::ListenerKind::tcp, refuses("TCP")) == 0);
    CHECK(started_with(web.socket.get(), "1", net::ListenerKind::unix_domain,
                       refuses("Unix stream")) == 0);
    const Fd client = connect_to(web.address);
    CHECK(started_with(client.get(), "1", net::ListenerKind::tcp, refuses("TCP")) == 0);
    // -1 and a text are no numbers of sockets. Both are errors.
    for (const std::string count : {"-1", "x"})
        CHECK(started_with(web.socket.get(), count.c_str(), net::ListenerKind::tcp,
                           [&](const std::vector<net::Listener>& found, std::string_view error) {
                               return found.empty() && error == "cannot read LISTEN_FDS=" + count +
                                                                    ": it is not a number";
                           }) == 0);
    for (const char* count : {"0", ""})
        CHECK(started_with(web.socket.get(), count, net::ListenerKind::tcp,
                           [](const std::vector<net::Listener>& found, std::string_view error) {
                               return found.empty() && error.empty();
                           }) == 0);
    CHECK(started_with(web.socket.get(), "4294967295", net::ListenerKind::tcp,
                       [](const std::vector<net::Listener>& found, std::string_view error) {
                           return found.empty() && error.starts_with("cannot use the descriptor ");
                       }) == 0);
}

TEST_CASE("sockets that are for another process are not ours") {
    Child child = fork_child([] {
        ::setenv("LISTEN_PID", "1", 1);
        ::setenv("LISTEN_FDS", "1", 1);
        const bool none = net::inherited_listeners(net::ListenerKind::tcp).empty();
        return none && std::getenv("LISTEN_FDS") == nullptr ? 0 : 1;
    });
    CHECK(child.wait().as_exit_status() == 0);
    CHECK(net::inherited_listeners(net::ListenerKind::tcp).empty());
}
