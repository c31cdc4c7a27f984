#include "process/port_owner.h"

#include "core/child.h"
#include "core/fd.h"
#include "harness/scenario.h"

#include <arpa/inet.h>
#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace ipcbox;
using namespace ipcbox::process;

TEST_CASE("the sockets that listen on a port are found in the kernel's table") {
    constexpr std::string_view table =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout"
        " inode\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0"
        " 4711 1 0000000000000000 100 0 0 10 0\n"
        "   1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0"
        " 4712 1 0000000000000000 100 0 0 10 0\n"
        "   2: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A "
        "00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000 100 0\n"
        "   3: 00000000:1F91 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0"
        " 4714 1 0000000000000000 100 0 0 10 0\n"
        "   4: broken\n";
    CHECK(listening_sockets(table, 8080) == std::vector<ino_t>{4711, 4713});
    CHECK(listening_sockets(table, 8081) == std::vector<ino_t>{4714});
    CHECK(listening_sockets(table, 80).empty());
    CHECK(listening_sockets("", 80).empty());
}

TEST_CASE("a port belongs to the process that listens there, and to those that it descends from") {
    const Fd socket = Fd::adopt(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    REQUIRE(::bind(socket.get(), any, size) == 0);
    REQUIRE(::getsockname(socket.get(), any, &size) == 0);
    const auto port = ntohs(address.sin_port);
    CHECK_FALSE(tree_listens(::getpid(), port));
    REQUIRE(::listen(socket.get(), 1) == 0);
    CHECK(tree_listens(::getpid(), port));
    CHECK(tree_listens(::getppid(), port));
    test::Scenario scenario;
    auto other = scenario.start_shell("echo up; read line"); // inherits nothing
    REQUIRE(other.line() == "up");
    CHECK_FALSE(tree_listens(other.pid(), port));
}
