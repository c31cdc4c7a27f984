// Questions to many clocks at a time, each over the protocol that its source needs: a datagram, a
// TCP connection, or a TLS connection. The survey decides whom to ask when (clocks/survey.h).
#pragma once

#include "clocks/inquiry.h"
#include "clocks/tcp_exchanges.h"
#include "clocks/tls_exchanges.h"
#include "clocks/udp_exchanges.h"
#include "core/random.h"

#include <array>
#include <optional>
#include <poll.h>
#include <string>
#include <vector>

namespace ipcbox::clocks {

class Exchanges {
  public:
    // For the sources of OPTIONS. Signals have to be blocked already. Throws SysError.
    explicit Exchanges(const SurveyOptions& options);
    ~Exchanges();
    Exchanges(const Exchanges&) = delete;
    Exchanges& operator=(const Exchanges&) = delete;

    // How many connections can be open at once: at most WANTED, at least one. Raises the limit on
    // our descriptors as far as needed and allowed.
    [[nodiscard]] std::size_t make_room(std::size_t wanted) const;

    // Prepares a question by datagram; udp().flush() sends it. Throws SysError when no socket
    // can be made.
    void send(std::size_t number, Source source, const net::Address& address);

    // Identifies a connection until it has a result.
    struct Connection {
        std::size_t number = 0;
        Source source = Source::time;
        TcpExchanges::Slot slot = 0;
    };
    // Connects and asks the host NAME. TLS ends by DEADLINE. Throws SysError when no socket can be
    // made, or no thread for TLS. A failure of this connection alone is a result.
    [[nodiscard]] Connection connect(std::size_t number, Source source, const net::Address& address,
                                     const std::string& name, Deadline deadline);
    // Gives up a connection, which then has no result. Returns what has come by now; over TLS, an
    // answer is all or nothing.
    Exchange stop(const Connection& connection);
    // Connections that have no result yet.
    [[nodiscard]] std::size_t open_connections() const;

    // For poll(2); some can be -1. See also has_failures().
    [[nodiscard]] std::array<pollfd, 4> poll_entries() const;
    // Whether work() has something to do already, whatever poll(2) says.
    [[nodiscard]] bool has_failures() const { return tcp_.has_failures(); }
    // Does what can be done without waiting, and adds the results to RESULTS.
    void work(std::vector<Exchange>& results);

    [[nodiscard]] UdpExchanges& udp() { return udp_; }
    [[nodiscard]] const UdpExchanges& udp() const { return udp_; }

  private:
    Exchanges() = default;

    RandomNumbers nonces_;
    TcpExchanges tcp_;
    std::optional<TlsExchanges> tls_; // when a source needs them
    UdpExchanges udp_;
};

} // namespace ipcbox::clocks
