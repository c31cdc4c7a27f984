#include "clocks/time_service.h"

#include "clocks/daytime.h"
#include "clocks/time_protocol.h"
#include "core/once_per.h"
#include "core/poll.h"
#include "net/acceptor.h"
#include "net/address_rate.h"
#include "net/datagram_socket.h"
#include "net/socket_io.h"

#include <algorithm>
#include <deque>
#include <netinet/in.h>
#include <optional>
#include <utility>
#include <vector>

namespace ipcbox::clocks {

namespace {

// How many clients of one socket are served before the other sockets have their turn.
constexpr std::size_t turn = net::DatagramBatch::max_size;
// The pause after a shortage before the next try.
constexpr auto pause = std::chrono::milliseconds{10};

// Whether a client can have this address (RFC 1122, 3.2.1.3).
bool can_be_client(const net::Address& sender) {
    const auto ip = sender.ip_bytes();
    const auto first = ip.empty() ? 0xffU : static_cast<unsigned char>(ip.front());
    const bool everybody = ip.size() == 4 ? first >= 224 : first == 0xff; // class E of IPv4 too
    return !everybody && !sender.is_wildcard() && sender.port() >= IPPORT_RESERVED;
}

class TimeService {
  public:
    TimeService(std::span<const TimeSocket> sockets, const TimeServiceConfig& config,
                SignalFd& signals)
        : sockets_(sockets), config_(config), signals_(signals), rate_(config.rate),
          entries_(sockets.size() + 1), paused_until_(sockets.size(), Deadline::after({})) {}

    TimeServiceCounts run() {
        while (!wait()) {
            answer_the_due();
            for (std::size_t at = 0; at < sockets_.size(); ++at)
                if (entries_[at].revents != 0) serve(at);
        }
        return counts_;
    }

  private:
    // A client whose answer we hold back: a connection, or the sender of a datagram.
    struct Waiting {
        Deadline due;
        const TimeSocket& socket;
        Fd client; // empty for a datagram
        net::Datagram datagram;
    };

    // --- The loop

    // Waits until there is something to do. True when the service has to end. With so few
    // descriptors, poll(2) is as fast as epoll(7), and it is easy to leave out a socket that must
    // not be read now.
    [[nodiscard]] bool wait() {
        auto until = waiting_.empty() ? Deadline::never() : waiting_.front().due;
        for (std::size_t at = 0; at < sockets_.size(); ++at) {
            const bool paused = !paused_until_[at].passed();
            if (paused) until = std::min(until, paused_until_[at]);
            const bool heard = !paused && (has_room() || sockets_[at].transport == Transport::udp);
            entries_[at] = {heard ? sockets_[at].bound.socket.get() : -1, POLLIN, 0};
        }
        entries_.back() = {signals_.fd(), POLLIN, 0};
        (void)poll_until(entries_, until);
        return entries_.back().revents != 0 && signals_.next().has_value();
    }

    // After a shortage, only this socket pauses: TCP can lack descriptors that UDP does not need.
    void serve(std::size_t at) try {
        if (sockets_[at].transport == Transport::tcp)
            accept_clients(sockets_[at]);
        else
            take_datagrams(sockets_[at]);
    } catch (const SysError& shortage) {
        tell(shortage.what());
        paused_until_[at] = Deadline::after(pause);
    }

    void tell(const std::string& shortage) {
        if (config_.trouble && shortage_.is_due()) config_.trouble(shortage);
    }

    // --- The answer

    [[nodiscard]] std::time_t now() const {
        const auto shifted = std::chrono::system_clock::now().time_since_epoch() + config_.offset;
        return std::chrono::floor<std::chrono::seconds>(shifted).count();
    }

    static std::string answer_text(Protocol protocol, std::time_t time) {
        if (protocol == Protocol::daytime) return daytime_text(time);
        const auto bytes = encode_time(time);
        return {bytes.begin(), bytes.end()};
    }

    // --- TCP

    void accept_clients(const TimeSocket& socket) {
        const auto where = socket.bound.address.text();
        for (std::size_t served = 0; served < turn && has_room(); ++served) {
            auto accepted = net::accept_if_any(socket.bound.socket, where);
            if (!accepted) return;
            if (config_.delay > Duration{})
                keep(socket, std::move(accepted->socket), {accepted->peer, {}});
            else
                answer_client(socket, accepted->socket, accepted->peer);
        }
    }

    // Does not wait for a client that does not read, or that keeps sending: the buffer of every
    // socket has room for the answer.
    void answer_client(const TimeSocket& socket, const Fd& client, const net::Address& peer) {
        const auto time = now();
        if (net::send_and_end(client, answer_text(socket.protocol, time)) == 0) return;
        net::discard_input(client);
        ++counts_.answered;
        if (config_.answered)
            config_.answered({socket, peer, net::local_address(client.get()), time});
    }

    // --- UDP

    void take_datagrams(const TimeSocket& socket) {
        const auto received = batch_.receive(socket.bound);
        const auto when = Deadline::Clock::now();
        accepted_.clear();
        for (const auto& datagram : received)
            if (may_have_answer(datagram, when)) accepted_.push_back(datagram);
        counts_.refused += received.size() - accepted_.size();
        if (config_.delay == Duration{}) return answer_datagrams(socket, accepted_);
        for (auto& datagram : accepted_)
            if (has_room())
                keep(socket, {}, datagram);
            else
                ++counts_.refused;
    }

    [[nodiscard]] bool may_have_answer(const net::Datagram& datagram,
                                       Deadline::Clock::time_point when) {
        const auto is_ours = [&datagram](const TimeSocket& socket) {
            return socket.bound.address.port() == datagram.sender.port();
        };
        return datagram.for_us_alone && can_be_client(datagram.sender) &&
               std::ranges::none_of(sockets_, is_ours) && rate_.allows(datagram.sender, when);
    }

    void answer_datagrams(const TimeSocket& socket, std::span<const net::Datagram> datagrams) {
        if (datagrams.empty()) return;
        const auto time = now();
        counts_.answered +=
            batch_.answer(socket.bound, datagrams, answer_text(socket.protocol, time));
        if (!config_.answered) return;
        for (const auto& datagram : datagrams)
            config_.answered({socket, datagram.sender, datagram.asked, time});
    }

    // --- Answers that are held back. All wait equally long, so the oldest is due first.

    [[nodiscard]] bool has_room() const { return waiting_.size() < config_.max_waiting; }

    void keep(const TimeSocket& socket, Fd client, const net::Datagram& datagram) {
        waiting_.push_back({Deadline::after(config_.delay), socket, std::move(client), datagram});
    }

    void answer_the_due() try {
        while (!waiting_.empty() && waiting_.front().due.passed()) {
            const auto first = std::move(waiting_.front());
            waiting_.pop_front();
            if (first.client)
                answer_client(first.socket, first.client, first.datagram.sender);
            else
                answer_datagrams(first.socket, {&first.datagram, 1});
        }
    } catch (const SysError& shortage) { // of this answer; the next one is sent in the next round
        tell(shortage.what());
    }

    const std::span<const TimeSocket> sockets_;
    const TimeServiceConfig& config_;
    SignalFd& signals_;
    net::AddressRate rate_;
    net::DatagramBatch batch_;
    std::vector<net::Datagram> accepted_; // from the last batch
    std::deque<Waiting> waiting_;
    std::vector<pollfd> entries_;        // the sockets, and then the signals
    std::vector<Deadline> paused_until_; // one for each socket
    OncePer shortage_{shortage_silence};
    TimeServiceCounts counts_;
};

} // namespace

TimeServiceCounts serve_time(std::span<const TimeSocket> sockets, const TimeServiceConfig& config,
                             SignalFd& signals) {
    return TimeService{sockets, config, signals}.run();
}

} // namespace ipcbox::clocks
