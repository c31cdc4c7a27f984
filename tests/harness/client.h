// A client of a server under test: a plain blocking socket whose every wait has the harness's limit
// of 30 s.
#pragma once

#include "core/fd.h"
#include "net/address.h"

#include <string>
#include <string_view>

namespace ipcbox::test {

class Process;

class Client {
  public:
    // Throws SysError when nobody listens there.
    explicit Client(const net::Address& server);

    void send(std::string_view text) const;
    // Half-close: everything is sent.
    void end_input() const;
    // Ends the connection with a reset.
    void reset();
    // Its next line without the line feed; what is left at the end.
    [[nodiscard]] std::string line();
    // All up to the end.
    [[nodiscard]] std::string rest();
    [[nodiscard]] net::Address address() const { return net::local_address(socket_.get()); }
    [[nodiscard]] int fd() const { return socket_.get(); }

  private:
    Fd socket_;
    std::string pending_;
};

// The answer to a client that sends TEXT, half-closes and reads to the end.
[[nodiscard]] std::string ask(const net::Address& server, std::string_view text = {});

// Where a server that was started just now listens, from its ready line.
[[nodiscard]] net::Address ready_address(Process& server);
// The same from the line itself: "listening on 127.0.0.1:2345".
[[nodiscard]] net::Address announced_address(std::string line);

// Whether the client's connection was reset, or ended without a word.
[[nodiscard]] bool is_turned_away(Client& client);

// The next line of a server's log in which TEXT stands. Throws when there is none.
std::string log_line(Process& server, std::string_view text);

} // namespace ipcbox::test
