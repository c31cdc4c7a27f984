// Questions to many clocks at a time over UDP, through one socket for each family: sendmmsg(2),
// recvmmsg(2). Datagrams that answer no question are counted and never believed.
#pragma once

#include "clocks/exchange.h"
#include "clocks/open_questions.h"
#include "clocks/source.h"
#include "core/deadline.h"
#include "core/fd.h"
#include "net/address.h"

#include <array>
#include <cstdint>
#include <poll.h>
#include <string>
#include <vector>

namespace ipcbox::clocks {

// Datagrams that answered nothing.
struct Ignored {
    std::uint64_t strangers = 0;  // from an address or port that was not asked, or forged
    std::uint64_t duplicates = 0; // a second answer
    std::uint64_t late = 0;       // from a host that was given up
    std::uint64_t malformed = 0;  // too short, or too long
    std::uint64_t dropped = 0;    // by the kernel, because we did not read fast enough
};

class UdpExchanges {
  public:
    // Prepares a question; flush() sends it. A question that cannot be sent for a reason of its own
    // (no route, no IPv6) fails in work(). Throws SysError when no socket can be made.
    void ask(std::size_t number, Source source, const net::Address& address, std::uint64_t nonce);
    // Sends the prepared questions, as far as the sockets take them at once.
    void flush();
    // Questions that are not sent yet.
    [[nodiscard]] bool has_unsent() const noexcept;

    // From now on, answers to questions of NUMBER are ignored.
    void give_up(std::size_t number);

    // How many questions can be sent now. Unanswered questions are limited, so that the answers fit
    // into our buffer, and the questions into that of a server with many addresses. After a moment,
    // an unanswered question no longer counts, because its answer may never come.
    [[nodiscard]] std::size_t room();
    // When there will be room again, if nothing is answered.
    [[nodiscard]] Deadline next_room() const;

    // For poll(2): two, of which one or both can be -1.
    [[nodiscard]] std::array<pollfd, 2> poll_entries() const;
    // Receives the datagrams that have come, and adds their results to RESULTS.
    void work(std::vector<Exchange>& results);

    [[nodiscard]] const Ignored& ignored() const noexcept { return ignored_; }

  private:
    struct Unsent {
        OpenQuestions::Index question;
        net::Address to;
    };
    struct Socket {
        Fd fd;
        int error = 0; // why there is none
        std::vector<Unsent> unsent;
        std::uint32_t dropped = 0; // as the kernel counts
    };

    [[nodiscard]] Socket& socket_for(const net::Address& address);
    void open(Socket& socket, int family);
    void flush(Socket& socket);
    [[nodiscard]] std::size_t send_batch(Socket& socket, std::size_t first);
    void receive(Socket& socket, std::vector<Exchange>& results);
    void receive_errors(const Socket& socket, std::vector<Exchange>& results);
    void take(const net::Address& from, std::string_view bytes, WallTime received,
              std::vector<Exchange>& results);
    void fail(const OpenQuestions::Question& question, int error, std::vector<Exchange>& results);

    std::array<Socket, 2> sockets_; // IPv4, IPv6
    OpenQuestions questions_;
    std::vector<Exchange> failed_at_once_;
    Ignored ignored_;
    std::size_t unanswered_ = 0; // of this moment
    Deadline moment_ends_ = Deadline::never();
};

} // namespace ipcbox::clocks
