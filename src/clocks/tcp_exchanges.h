// Questions to many clocks at a time over TCP, in one thread: epoll(7).
#pragma once

#include "clocks/exchange.h"
#include "clocks/source.h"
#include "core/fd.h"
#include "net/address.h"

#include <cstdint>
#include <vector>

namespace ipcbox::clocks {

class TcpExchanges {
  public:
    // Throws SysError.
    TcpExchanges();

    using Slot = std::uint32_t;
    // Connects and asks; work() delivers the result. Throws SysError when no socket can be made
    // (EMFILE and the like). A failure of this connection alone is a result.
    Slot start(std::size_t number, Source source, const net::Address& address,
               std::string question);
    // Gives up an exchange that has not ended. Returns what has come by now.
    Exchange stop(Slot slot);

    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    // Readable when work() has something to do; see also has_failures().
    [[nodiscard]] int fd() const noexcept { return poll_.get(); }
    [[nodiscard]] bool has_failures() const noexcept { return !failed_at_once_.empty(); }
    // Does what can be done without waiting, and adds the results to RESULTS.
    void work(std::vector<Exchange>& results);

  private:
    struct Conversation {
        Fd socket;
        Source source = Source::time;
        bool is_paused = false;
        std::string question; // what has not been sent
        std::chrono::steady_clock::time_point asked;
        Exchange exchange;
    };

    void watch(int operation, const Fd& socket, std::uint32_t events, Slot slot) const;
    [[nodiscard]] bool send_question(Slot slot);
    [[nodiscard]] bool receive(Conversation& conversation) const;
    [[nodiscard]] Exchange end(Slot slot);

    Fd poll_;
    std::vector<Conversation> conversations_;
    std::vector<Slot> free_;
    std::vector<Slot> failed_at_once_;
    std::size_t size_ = 0;
};

} // namespace ipcbox::clocks
