#include "net/datagram_socket.h"

#include "core/error.h"
#include "core/poll.h"

#include <algorithm>
#include <array>
#include <doctest/doctest.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <span>
#include <sys/socket.h>
#include <unistd.h>

using namespace ipcbox;

namespace {

net::Address at(const std::string& ip, std::uint16_t port) {
    return net::Address::parse_ip(ip, port).value();
}

Fd make_client(int family) {
    return Fd::adopt(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}

void say(const Fd& client, const net::Address& to, std::string_view text = "hello") {
    REQUIRE(::sendto(client.get(), text.data(), text.size(), 0, to.data(), to.size()) ==
            static_cast<ssize_t>(text.size()));
}

struct Heard {
    std::string text;
    net::Address from;
};
// What the server receives, once there is something: sendto(2) may return before the kernel has
// delivered the datagram.
std::span<const net::Datagram> receive(net::DatagramBatch& batch, const net::BoundSocket& server) {
    REQUIRE(wait_for(server.socket.get(), POLLIN, Deadline::after(std::chrono::seconds{30})));
    return batch.receive(server);
}

Heard hear(const Fd& client) {
    REQUIRE(wait_for(client.get(), POLLIN, Deadline::after(std::chrono::seconds{30})));
    std::array<char, 64> text{};
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const auto got = ::recvfrom(client.get(), text.data(), text.size(), MSG_DONTWAIT,
                                reinterpret_cast<sockaddr*>(&from), &size);
    REQUIRE(got >= 0);
    return {{text.data(), static_cast<std::size_t>(got)}, net::Address{from, size}};
}

std::string failure(const net::HostPort& where) {
    try {
        (void)net::bind_udp(where);
    } catch (const Error& error) {
        return error.what();
    }
    return "no failure";
}

std::string inheritance_failure(const Fd& socket) {
    // This number is given away.
    const int number = ::fcntl(socket.get(), F_DUPFD_CLOEXEC, 3);
    try {
        (void)net::inherited_datagram_socket(number);
    } catch (const Error& error) {
        std::string what = error.what();
        const auto mark = what.find(fmt::format(" {} ", number));
        return mark == std::string::npos ? what : what.replace(mark, std::string::npos, " N");
    }
    return "no failure";
}

} // namespace

TEST_CASE(
    "one socket serves all interfaces, and its answers leave from the address that was asked") {
    const auto sockets = net::bind_udp({{}, 0});
    REQUIRE(sockets.size() == 1);
    const auto& server = sockets.front();
    CHECK(server.address.is_wildcard());
    const auto port = server.address.port();
    net::DatagramBatch batch;
    CHECK(batch.receive(server).empty());
    const Fd four = make_client(AF_INET);
    const Fd six = make_client(AF_INET6);
    for (const char* ip : {"127.9.8.7", "127.0.0.1", "::1"}) {
        const auto& client = ip[0] == ':' ? six : four;
        say(client, at(ip, port));
        const auto datagrams = receive(batch, server);
        REQUIRE(datagrams.size() == 1);
        CHECK(datagrams.front().asked == at(ip, port));
        CHECK(datagrams.front().sender.port() == net::local_address(client.get()).port());
        CHECK(datagrams.front().for_us_alone);
        CHECK(batch.answer(server, datagrams, "hello, too") == 1);
        const auto heard = hear(client);
        CHECK(heard.text == "hello, too");
        CHECK(heard.from == at(ip, port));
    }
}

TEST_CASE("every address of a host has a socket on the same port") {
    const auto sockets = net::bind_udp({"localhost", 0});
    for (const auto& each : sockets)
        CHECK(each.address.port() == sockets.front().address.port());
    CHECK((::fcntl(sockets.front().socket.get(), F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((::fcntl(sockets.front().socket.get(), F_GETFL) & O_NONBLOCK) != 0);
}

TEST_CASE("many datagrams come at once, in their order") {
    const auto sockets = net::bind_udp({"127.0.0.1", 0});
    const auto& server = sockets.front();
    const Fd client = make_client(AF_INET);
    net::DatagramBatch batch;
    std::size_t most = 0;
    // The kernel may deliver some of them later, so there are several rounds.
    for (int round = 0; round < 10 && most < net::DatagramBatch::max_size; ++round) {
        constexpr std::size_t all = net::DatagramBatch::max_size + 3;
        for (std::size_t count = 0; count < all; ++count)
            say(client, server.address, count % 2 == 0 ? "" : "hello");
        for (std::size_t received = 0; received < all;) {
            const auto datagrams = receive(batch, server);
            most = std::max(most, datagrams.size());
            received += datagrams.size();
            CHECK(received <= all);
            CHECK(batch.answer(server, datagrams, "yes") == datagrams.size());
            for (std::size_t count = 0; count < datagrams.size(); ++count)
                CHECK(hear(client).text == "yes");
        }
        CHECK(batch.receive(server).empty());
    }
    CHECK(most == net::DatagramBatch::max_size);
}

TEST_CASE("a client that cannot be answered does not stop answers to others") {
    const auto sockets = net::bind_udp({"127.0.0.1", 0});
    const auto& server = sockets.front();
    const Fd client = make_client(AF_INET);
    say(client, server.address);
    net::DatagramBatch batch;
    const auto good = receive(batch, server).front();
    // No datagram can go to port 0, and none can leave the loopback interface.
    const std::array datagrams{good, net::Datagram{at("127.0.0.1", 0), good.asked},
                               net::Datagram{at("192.0.2.1", 9), good.asked}, good};
    CHECK(batch.answer(server, datagrams, "yes") >= 2);
    CHECK(hear(client).text == "yes");
    CHECK(hear(client).text == "yes");
}

TEST_CASE("a datagram to everybody is recognised") {
    const auto sockets = net::bind_udp({{}, 0});
    const auto& server = sockets.front();
    const Fd client = make_client(AF_INET);
    const int yes = 1;
    REQUIRE(::setsockopt(client.get(), SOL_SOCKET, SO_BROADCAST, &yes, sizeof yes) == 0);
    say(client, at("127.255.255.255", server.address.port()));
    net::DatagramBatch batch;
    const auto datagrams = receive(batch, server);
    REQUIRE(datagrams.size() == 1);
    CHECK_FALSE(datagrams.front().for_us_alone);
}

TEST_CASE("an error about an address in use names the process") {
    const auto first = net::bind_udp({"127.0.0.1", 0});
    const auto port = first.front().address.port();
    const auto by = fmt::format(": Address already in use (by {} (", ::getpid());
    CHECK(failure({"127.0.0.1", port})
              .starts_with(fmt::format("cannot listen on 127.0.0.1:{}{}", port, by)));
    CHECK(failure({{}, port}).find(by) != std::string::npos);
    CHECK(failure({"192.0.2.1", 0}) ==
          "cannot listen on 192.0.2.1:0: Cannot assign requested address (no interface of this "
          "machine has it)");
}

TEST_CASE("of the sockets that we are given only UDP sockets are accepted") {
    const auto sockets = net::bind_udp({"127.0.0.1", 0});
    const auto& server = sockets.front();
    CHECK(inheritance_failure(server.socket) == "no failure");
    CHECK(net::is_datagram_socket(server.socket.get()));
    const auto expected = "cannot use the descriptor N";
    const Fd connected = make_client(AF_INET);
    REQUIRE(::connect(connected.get(), server.address.data(), server.address.size()) == 0);
    CHECK(inheritance_failure(connected) == expected);
    CHECK(inheritance_failure(Fd::adopt(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0))) ==
          expected);
    const Fd stream = Fd::adopt(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    CHECK(inheritance_failure(stream) == expected);
    CHECK_FALSE(net::is_datagram_socket(stream.get()));
}
