// A client of a server under test: a plain blocking socket. Each wait has the harness's limit of 30
// s.
#pragma once

#include "core/fd.h"
#include "net/address.h"

#include <string>
#include <string_view>

namespace ipcbox::test {

class Process;

class Client {
  public:
    // Throws SysError when no process listens there.
    explicit Client(const net::Address& server);

    void send(std::string_view text) const;
    // Closes our half of the connection: everything is sent.
    void end_input() const;
    // Ends the connection with a reset.
    void reset();
    // The next line without its line feed. At the end, returns the bytes that are left.
    [[nodiscard]] std::string line();
    // All bytes up to the end.
    [[nodiscard]] std::string rest();
    [[nodiscard]] net::Address address() const { return net::local_address(socket_.get()); }
    [[nodiscard]] int fd() const { return socket_.get(); }

  private:
    Fd socket_;
    std::string pending_;
};

// The answer to a client that sends TEXT, closes its half, and reads to the end.
[[nodiscard]] std::string ask(const net::Address& server, std::string_view text = {});

// The address in the ready line of a server that has just been started.
[[nodiscard]] net::Address ready_address(Process& server);
// The address in such a line: "listening on 127.0.0.1:2345".
[[nodiscard]] net::Address announced_address(std::string line);

// Whether the client's connection is reset, or ends without a byte.
[[nodiscard]] bool is_turned_away(Client& client);

// The next line of a server's log that contains TEXT. Throws when there is none.
std::string log_line(Process& server, std::string_view text);

} // namespace ipcbox::test
