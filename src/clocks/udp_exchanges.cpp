#include "clocks/udp_exchanges.h"

#include "core/error.h"
#include "core/syscall.h"
#include "net/control_message.h"
#include "net/socket_options.h"

#include <algorithm>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <utility>

namespace ipcbox::clocks {

namespace {

using State = OpenQuestions::Question::State;

constexpr std::size_t batch = 64;
// At this size, a burst fits into the default buffer of a socket, ours or the server's, which holds
// about 270 small datagrams.
constexpr std::size_t burst = 256;
constexpr auto moment = std::chrono::milliseconds{10};
// Larger than any answer. A longer datagram is cut, and so counts as malformed.
constexpr std::size_t max_bytes = 1024;

struct Message {
    sockaddr_storage address{};
    std::array<char, max_bytes> bytes;
    alignas(cmsghdr) std::array<char, 256> control;
    iovec part{};

    void prepare(msghdr& header) {
        part = {bytes.data(), bytes.size()};
        header.msg_name = &address;
        header.msg_namelen = sizeof address;
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = control.data();
        header.msg_controllen = control.size();
        header.msg_flags = 0;
    }
};

net::Address sender_of(const Message& message, const msghdr& header) {
    return {message.address, header.msg_namelen};
}

WallTime received_at(msghdr& header) {
    const auto stamp = net::control_message<timespec>(header, SOL_SOCKET, SCM_TIMESTAMPNS);
    if (!stamp) return std::chrono::system_clock::now();
    return WallTime{std::chrono::seconds{stamp->tv_sec} + Duration{stamp->tv_nsec}};
}

} // namespace

void UdpExchanges::ask(std::size_t number, Source source, const net::Address& address,
                       std::uint64_t nonce) {
    auto& socket = socket_for(address);
    if (!socket.fd) {
        auto& failed = failed_at_once_.emplace_back();
        failed.number = number;
        failed.outcome = Exchange::Outcome::failed;
        failed.error = socket.error;
        return;
    }
    const auto question = questions_.add(number, source, address, nonce);
    socket.unsent.push_back({question, address});
}

void UdpExchanges::give_up(std::size_t number) {
    questions_.settle(number, State::given_up);
}

// --- The sockets

UdpExchanges::Socket& UdpExchanges::socket_for(const net::Address& address) {
    auto& socket = sockets_[address.family() == AF_INET6 ? 1 : 0];
    if (!socket.fd && socket.error == 0) open(socket, address.family());
    return socket;
}

void UdpExchanges::open(Socket& socket, int family) {
    const int number =
        sys::call("socket", ::socket, family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (number < 0 && errno != EAFNOSUPPORT) throw SysError("make", "a socket");
    if (number < 0) {
        socket.error = errno;
        return;
    }
    socket.fd = Fd::adopt(number);
    // Without these options, the socket works less well: errors of routers are not reported, the
    // time of an answer is the time when we read it, and a burst can be lost.
    const bool is_ipv6 = family == AF_INET6;
    (void)net::set_socket_option(socket.fd, is_ipv6 ? IPPROTO_IPV6 : IPPROTO_IP,
                                 is_ipv6 ? IPV6_RECVERR : IP_RECVERR, 1);
    (void)net::set_socket_option(socket.fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    (void)net::set_socket_option(socket.fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    net::enlarge_receive_buffer(socket.fd);
}

std::array<pollfd, 2> UdpExchanges::poll_entries() const {
    std::array<pollfd, 2> entries{};
    for (std::size_t at = 0; at < sockets_.size(); ++at) {
        const short sending = sockets_[at].unsent.empty() ? 0 : POLLOUT;
        entries[at] = {sockets_[at].fd.get(), static_cast<short>(POLLIN | sending), 0};
    }
    return entries;
}

// --- Asking

bool UdpExchanges::has_unsent() const noexcept {
    return std::ranges::any_of(sockets_, [](const auto& socket) { return !socket.unsent.empty(); });
}

std::size_t UdpExchanges::room() {
    if (moment_ends_.passed()) {
        unanswered_ = 0;
        moment_ends_ = Deadline::never();
    }
    const auto unsent = sockets_[0].unsent.size() + sockets_[1].unsent.size();
    return burst - std::min(burst, unanswered_ + unsent);
}

Deadline UdpExchanges::next_room() const {
    return moment_ends_;
}

void UdpExchanges::flush() {
    for (auto& socket : sockets_)
        if (!socket.unsent.empty()) flush(socket);
}

void UdpExchanges::flush(Socket& socket) {
    std::size_t sent = 0;
    int refusals = 0; // refusals of the first datagram that is left
    while (sent < socket.unsent.size()) {
        if (const auto count = send_batch(socket, sent); count > 0) {
            sent += count;
            unanswered_ += count;
            refusals = 0;
            continue;
        }
        if (errno == EAGAIN) break;
        // This can be the error of an earlier datagram, which ICMP has reported (ip(7),
        // IP_RECVERR). The kernel reports each such error here once, and once to receive_errors().
        constexpr int patience = 8;
        if (errno == ECONNREFUSED || errno == EINTR || ++refusals < patience) continue;
        // If our own machine loses a datagram, that is no different from a loss on the way.
        if (errno != ENOBUFS && errno != ENOMEM)
            fail(questions_[socket.unsent[sent].question], errno, failed_at_once_);
        refusals = 0;
        ++sent;
    }
    socket.unsent.erase(socket.unsent.begin(),
                        socket.unsent.begin() + static_cast<std::ptrdiff_t>(sent));
    if (unanswered_ > 0 && moment_ends_.is_never()) moment_ends_ = Deadline::after(moment);
}

// The number of datagrams sent. 0 and errno when not even the first could be sent.
std::size_t UdpExchanges::send_batch(Socket& socket, std::size_t first) {
    std::array<mmsghdr, batch> messages{};
    std::array<iovec, batch> parts;
    std::array<std::string, batch> packets;
    const auto count = std::min(batch, socket.unsent.size() - first);
    const auto now = std::chrono::steady_clock::now();
    for (std::size_t at = 0; at < count; ++at) {
        const auto& [number, to] = socket.unsent[first + at];
        auto& asked = questions_[number];
        asked.sent = now;
        auto& header = messages[at].msg_hdr;
        header.msg_name = const_cast<sockaddr*>(to.data()); // NOLINT: sendmsg(2) only reads it
        header.msg_namelen = to.size();
        packets[at] = question(asked.source, {}, asked.nonce);
        parts[at] = {packets[at].data(), packets[at].size()};
        header.msg_iov = &parts[at];
        header.msg_iovlen = 1;
    }
    const int sent = sys::call("sendmmsg", ::sendmmsg, socket.fd.get(), messages.data(),
                               static_cast<unsigned>(count), MSG_DONTWAIT);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

// --- Answers

void UdpExchanges::work(std::vector<Exchange>& results) {
    for (auto& socket : sockets_) {
        if (!socket.fd) continue;
        receive(socket, results);
        receive_errors(socket, results);
    }
    std::ranges::move(failed_at_once_, std::back_inserter(results));
    failed_at_once_.clear();
}

void UdpExchanges::receive(Socket& socket, std::vector<Exchange>& results) {
    std::array<Message, batch> messages; // NOLINT: the kernel fills it
    std::array<mmsghdr, batch> headers{};
    // After this many batches, the timers get their turn, even in a flood.
    constexpr int max_batches = 16;
    for (int round = 0; round < max_batches; ++round) {
        for (std::size_t at = 0; at < batch; ++at)
            messages[at].prepare(headers[at].msg_hdr);
        const int count =
            sys::call("recvmmsg", ::recvmmsg, socket.fd.get(), headers.data(),
                      static_cast<unsigned>(batch), MSG_DONTWAIT, static_cast<timespec*>(nullptr));
        // Every other error belongs to a question. receive_errors() finds out to which one.
        if (count < 0 && errno != EAGAIN && errno != ENOMEM) continue;
        for (int at = 0; at < count; ++at) {
            const auto& message = messages[static_cast<std::size_t>(at)];
            auto& [header, size] = headers[static_cast<std::size_t>(at)];
            take(sender_of(message, header), {message.bytes.data(), size}, received_at(header),
                 results);
            const auto dropped =
                net::control_message<std::uint32_t>(header, SOL_SOCKET, SO_RXQ_OVFL);
            if (dropped) ignored_.dropped += *dropped - std::exchange(socket.dropped, *dropped);
        }
        if (count < static_cast<int>(batch)) return;
    }
}

void UdpExchanges::take(const net::Address& from, std::string_view bytes, WallTime received,
                        std::vector<Exchange>& results) {
    const auto* const asked = questions_.asked_of(from);
    if (asked == nullptr) {
        ++ignored_.strangers;
        return;
    }
    bool was_given_up = asked->was_given_up;
    bool is_forged = false;
    for (auto at = asked->first; at != OpenQuestions::none; at = questions_[at].next) {
        const auto& question = questions_[at];
        was_given_up = was_given_up || question.state == State::given_up;
        if (question.state != State::waiting) continue;
        const auto match = bytes.size() < max_bytes
                               ? match_of(question.source, bytes, question.nonce)
                               : Match::malformed;
        if (match == Match::malformed) {
            ++ignored_.malformed;
            auto& malformed = results.emplace_back();
            malformed.number = question.number;
            malformed.outcome = Exchange::Outcome::malformed;
            malformed.bytes = bytes;
            return;
        }
        // We may have asked one address the same question twice, and cannot tell the two answers
        // apart. So an answer counts for the older question, which gives the larger error.
        is_forged = match == Match::forged;
        if (is_forged) continue;
        const auto since_then = std::chrono::steady_clock::now() - question.sent;
        // How long the datagram was in our buffer. Our clock may have been set in the meantime.
        auto age = std::chrono::system_clock::now() - received;
        if (age < Duration::zero() || age > since_then) {
            received += age;
            age = {};
        }
        auto& answered = results.emplace_back();
        answered.number = question.number;
        answered.bytes = bytes;
        answered.timing = {received, since_then - age};
        questions_.settle(question.number, State::answered);
        unanswered_ -= std::min<std::size_t>(unanswered_, 1);
        return;
    }
    ++(is_forged ? ignored_.strangers : was_given_up ? ignored_.late : ignored_.duplicates);
}

void UdpExchanges::receive_errors(const Socket& socket, std::vector<Exchange>& results) {
    Message message; // NOLINT: the kernel fills it
    for (;;) {
        msghdr header{};
        message.prepare(header);
        const auto count =
            sys::call("recvmsg", ::recvmsg, socket.fd.get(), &header, MSG_ERRQUEUE | MSG_DONTWAIT);
        if (count < 0) return;
        auto error = net::control_message<sock_extended_err>(header, IPPROTO_IP, IP_RECVERR);
        if (!error)
            error = net::control_message<sock_extended_err>(header, IPPROTO_IPV6, IPV6_RECVERR);
        if (!error) continue;
        // The message contains the address of the host that we asked.
        const auto* const asked = questions_.asked_of(sender_of(message, header));
        if (asked == nullptr || asked->first == OpenQuestions::none) continue;
        fail(questions_[asked->first], static_cast<int>(error->ee_errno), results);
        unanswered_ -= std::min<std::size_t>(unanswered_, 1);
    }
}

// Does nothing if the question no longer waits: its host may ask another address by now.
void UdpExchanges::fail(const OpenQuestions::Question& question, int error,
                        std::vector<Exchange>& results) {
    if (question.state != State::waiting) return;
    auto& failed = results.emplace_back();
    failed.number = question.number;
    failed.outcome = Exchange::Outcome::failed;
    failed.error = error;
    questions_.settle(question.number, State::answered);
}

} // namespace ipcbox::clocks
