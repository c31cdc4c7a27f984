#include "server/connection.h"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace ipcbox;

using Words = std::vector<std::string>;

TEST_CASE("a TCP connection has the variables of UCSPI") {
    server::Connection connection;
    connection.peer = net::Address::parse_ip("192.0.2.1", 4242).value();
    connection.local = net::Address::parse_ip("2001:db8::1", 80).value();
    CHECK(connection.peer_text() == "192.0.2.1");
    CHECK(server::ucspi_environment(connection) == Words{"PROTO=TCP", "TCPLOCALIP=2001:db8::1",
                                                         "TCPLOCALPORT=80", "TCPREMOTEIP=192.0.2.1",
                                                         "TCPREMOTEPORT=4242", "TCPCONNNUM=1"});
    connection.peer_name = "client.example.org";
    CHECK(connection.peer_text() == "client.example.org");
    CHECK(server::ucspi_environment(connection).back() == "TCPREMOTEHOST=client.example.org");
}

TEST_CASE("a Unix connection has the variables of both families of tools") {
    server::Connection connection;
    connection.local = net::Address::unix_path("/run/socket");
    connection.credentials = {12, 1000, 100};
    CHECK(connection.peer_text() == "process 12");
    const auto uid = std::to_string(::getuid());
    const auto gid = std::to_string(::getgid());
    CHECK(server::ucspi_environment(connection) ==
          Words{"PROTO=UNIX", "UNIXLOCALPATH=/run/socket", "UNIXLOCALUID=" + uid,
                "UNIXLOCALGID=" + gid, "UNIXREMOTEPATH=", "UNIXCONNNUM=1", "UNIXREMOTEPID=12",
                "UNIXREMOTEEUID=1000", "UNIXREMOTEEGID=100", "IPCLOCALPATH=/run/socket",
                "IPCLOCALUID=" + uid, "IPCLOCALGID=" + gid, "IPCREMOTEPATH=", "IPCCONNNUM=1",
                "IPCREMOTEPID=12", "IPCREMOTEEUID=1000", "IPCREMOTEEGID=100"});
}

TEST_CASE("the names of every UCSPI server are known as such") {
    for (const char* name : {"PROTO", "TCPREMOTEIP", "TCPLOCALHOST", "TCPREMOTEINFO", "TCPCONNNUM",
                             "UNIXREMOTEPID", "IPCREMOTEEUID", "IPCCONNNUM", "SSLREMOTEIP",
                             "SSL_PROTOCOL", "SSL_CLIENT_VERIFY", "SSL_CLIENT_S_DN"})
        CHECK(server::is_ucspi_name(name));
    for (const char* name :
         {"", "PATH", "PROTOCOL", "TCP", "TCPDUMP", "LOCAL", "IPCBOX_TRACE", "SSL_CERT_FILE"})
        CHECK_FALSE(server::is_ucspi_name(name));
}
