// The other side of a connection, in a thread of the test.
//
//     Peer server{*Address::parse_ip("127.0.0.1", 0), [](const Fd& client) {
//         write_all(client.get(), "hello\n", "a client");
//     }};
//     scenario.run({"tcp-client", server.address().text()});
#pragma once

#include "core/fd.h"
#include "net/address.h"

#include <functional>
#include <string>
#include <thread>

namespace ipcbox::test {

// A listening socket. With port 0, the kernel chooses the port.
[[nodiscard]] Fd listen_at(const net::Address& address, int backlog = 16);

// A port of ::1 and 127.0.0.1 that refuses connections: it is bound, but does not listen.
class RefusedPort {
  public:
    RefusedPort();
    [[nodiscard]] std::uint16_t number() const { return number_; }
    // From now on, a server listens on the IPv4 port.
    [[nodiscard]] const Fd& listen() const;

  private:
    Fd six_;
    Fd four_;
    std::uint16_t number_ = 0;
};

// A port of 127.0.0.1 for a program that has to be told a port. It is bound, but does not listen.
// While this object exists, only a program that binds with SO_REUSEADDR, as servers do, can get the
// port.
class ReservedPort {
  public:
    ReservedPort();
    [[nodiscard]] std::uint16_t number() const { return net::local_address(socket_.get()).port(); }

  private:
    Fd socket_;
};

// A server that serves one client after another with WORK, and closes the connection when WORK
// returns. It is no failure if the client has gone by then. The sockets are blocking. WORK has to
// end by itself when the client is gone.
class Peer {
  public:
    using Work = std::function<void(const Fd& client)>;

    Peer(const net::Address& address, Work work);
    // Listens on 127.0.0.1.
    explicit Peer(Work work);
    ~Peer();
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;

    [[nodiscard]] const net::Address& address() const { return address_; }
    // "127.0.0.1:38009", "/path"
    [[nodiscard]] std::string text() const { return address_.text(); }

  private:
    void serve(const Work& work) const;

    Fd listener_;
    net::Address address_;
    std::jthread thread_;
};

// Pieces of work for such servers.

// Reads everything up to the end of file.
[[nodiscard]] std::string receive_all(const Fd& socket);
void say(const Fd& socket, std::string_view text);
// Sends back everything that comes, until the end of file.
void echo(const Fd& client);
// Makes the close a reset (RST) instead of an end.
void reset_when_closed(const Fd& socket);

// SIZE bytes, each different from its neighbours.
[[nodiscard]] std::string numbered_text(std::size_t size);

} // namespace ipcbox::test
