// Questions to many clocks at a time over TLS (https). Each is asked by a thread of its own, which
// waits for the process that speaks TLS (net/tls_process.h).
#pragma once

#include "clocks/exchange.h"
#include "clocks/source.h"
#include "net/address.h"
#include "net/tls_process.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ipcbox::clocks {

class TlsExchanges {
  public:
    // OPTIONS apply to every connection, except for the name. Signals have to be blocked already.
    explicit TlsExchanges(net::TlsOptions options);
    // Threads that wait for an answer are left to end by themselves, at their deadline.
    ~TlsExchanges();
    TlsExchanges(const TlsExchanges&) = delete;
    TlsExchanges& operator=(const TlsExchanges&) = delete;

    struct Request {
        net::Address address;
        std::string name; // whose certificate the server has to show
        std::string question;
    };
    // Connects, shakes hands and asks until DEADLINE; work() delivers the result. NUMBER can have
    // one exchange at a time. Throws SysError when no thread can be started.
    void start(std::size_t number, Request request, Deadline deadline);
    // Gives up an exchange, which then has no result.
    void give_up(std::size_t number);

    [[nodiscard]] std::size_t size() const noexcept { return serials_.size(); }
    // Readable when work() has something to do.
    [[nodiscard]] int fd() const noexcept;
    // Adds the results that have come to RESULTS.
    void work(std::vector<Exchange>& results);

  private:
    struct State;
    std::shared_ptr<State> state_;
    std::map<std::size_t, std::uint64_t> serials_; // of what goes on, by number
    std::uint64_t last_serial_ = 0;
};

} // namespace ipcbox::clocks
