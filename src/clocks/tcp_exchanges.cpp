#include "clocks/tcp_exchanges.h"

#include "core/error.h"
#include "core/syscall.h"

#include <algorithm>
#include <array>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <utility>

namespace ipcbox::clocks {

namespace {

constexpr std::uint32_t answer_events = EPOLLIN | EPOLLRDHUP;

// Whether the machine has run out of something. The connection itself has not failed then.
bool is_shortage(int error) {
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

} // namespace

TcpExchanges::TcpExchanges() {
    const int number = sys::call("epoll_create1", ::epoll_create1, EPOLL_CLOEXEC);
    if (number < 0) throw SysError("make", "an event queue");
    poll_ = Fd::adopt(number);
}

TcpExchanges::Slot TcpExchanges::start(std::size_t number, Source source,
                                       const net::Address& address, std::string question) {
    Conversation conversation;
    conversation.source = source;
    conversation.question = std::move(question);
    conversation.exchange.number = number;
    const int made = sys::call("socket", ::socket, address.family(),
                               SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0 && is_shortage(errno)) throw SysError("make", "a socket");
    int error = made < 0 ? errno : 0;
    if (error == 0) {
        conversation.socket = Fd::adopt(made);
        conversation.asked = std::chrono::steady_clock::now();
        const int connected = sys::call("connect", ::connect, conversation.socket.get(),
                                        address.data(), address.size());
        if (connected < 0 && errno != EINPROGRESS && errno != EINTR) error = errno;
    }
    if (free_.empty()) {
        free_.push_back(static_cast<Slot>(conversations_.size()));
        conversations_.emplace_back();
    }
    const Slot slot = free_.back();
    if (error == 0) {
        const std::uint32_t sending = conversation.question.empty() ? 0U : EPOLLOUT;
        watch(EPOLL_CTL_ADD, conversation.socket, answer_events | sending, slot);
    } else {
        conversation.exchange.outcome = Exchange::Outcome::failed;
        conversation.exchange.error = error;
        failed_at_once_.push_back(slot);
    }
    free_.pop_back();
    ++size_;
    conversations_[slot] = std::move(conversation);
    return slot;
}

Exchange TcpExchanges::stop(Slot slot) {
    std::erase(failed_at_once_, slot);
    return end(slot);
}

void TcpExchanges::watch(int operation, const Fd& socket, std::uint32_t events, Slot slot) const {
    epoll_event event{};
    event.events = events;
    event.data.u32 = slot;
    if (sys::call("epoll_ctl", ::epoll_ctl, poll_.get(), operation, socket.get(), &event) < 0)
        throw SysError("watch", "a socket");
}

// Frees the slot and closes its connection.
Exchange TcpExchanges::end(Slot slot) {
    auto ended = std::exchange(conversations_[slot], Conversation{});
    free_.push_back(slot);
    --size_;
    return std::move(ended.exchange);
}

void TcpExchanges::work(std::vector<Exchange>& results) {
    for (const Slot slot : failed_at_once_)
        results.push_back(end(slot));
    failed_at_once_.clear();
    if (size_ == 0) return;
    std::array<epoll_event, 256> events;
    const int count = sys::call("epoll_wait", ::epoll_wait, poll_.get(), events.data(),
                                static_cast<int>(events.size()), 0);
    for (int at = 0; at < count; ++at) {
        const auto& event = events[static_cast<std::size_t>(at)];
        const Slot slot = event.data.u32;
        auto& conversation = conversations_[slot];
        const bool is_over = (event.events & EPOLLOUT) != 0 && !send_question(slot);
        const bool has_answer = (event.events & ~EPOLLOUT) != 0;
        if (is_over || (has_answer && receive(conversation))) {
            results.push_back(end(slot));
        } else if (has_answer && !conversation.is_paused &&
                   progress(conversation.source, conversation.exchange.bytes) == Progress::enough) {
            conversation.is_paused = true;
            auto& paused = results.emplace_back();
            paused.number = conversation.exchange.number;
            paused.outcome = Exchange::Outcome::paused;
        }
    }
}

// False when the connection has failed. The buffer of a new socket nearly always has room for the
// question. If not, the next EPOLLOUT sends the rest.
bool TcpExchanges::send_question(Slot slot) {
    auto& conversation = conversations_[slot];
    auto& question = conversation.question;
    // Start the time now, after the handshake: the server cannot read its clock before we ask.
    conversation.asked = std::chrono::steady_clock::now();
    const ssize_t sent = sys::call("send", ::send, conversation.socket.get(),
                                   static_cast<const void*>(question.data()), question.size(),
                                   MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ENOMEM))
        return true;
    if (sent < 0) {
        conversation.exchange.outcome = Exchange::Outcome::failed;
        conversation.exchange.error = errno;
        return false;
    }
    question.erase(0, static_cast<std::size_t>(sent));
    if (question.empty()) watch(EPOLL_CTL_MOD, conversation.socket, answer_events, slot);
    return true;
}

// True when the exchange is over.
bool TcpExchanges::receive(Conversation& conversation) const {
    auto& [number, outcome, bytes, timing, error, problem] = conversation.exchange;
    std::array<char, 4096> buffer;
    for (;;) {
        const ssize_t received =
            sys::call("recv", ::recv, conversation.socket.get(), static_cast<void*>(buffer.data()),
                      buffer.size(), MSG_DONTWAIT);
        if (received < 0 && errno == EINTR) continue;
        if (received < 0 && (errno == EAGAIN || errno == ENOMEM)) return false;
        if (received < 0) {
            const int reason = errno;
            // A server that sends its whole answer and then resets the connection has answered.
            if (progress(conversation.source, bytes) != Progress::incomplete) return true;
            outcome = Exchange::Outcome::failed;
            error = reason;
        }
        if (received <= 0) return true;
        if (bytes.empty())
            timing = {std::chrono::system_clock::now(),
                      std::chrono::steady_clock::now() - conversation.asked};
        const auto room = max_answer_bytes(conversation.source) - bytes.size();
        bytes.append(buffer.data(), std::min(room, static_cast<std::size_t>(received)));
        if (bytes.size() >= max_answer_bytes(conversation.source) ||
            progress(conversation.source, bytes) == Progress::complete)
            return true;
    }
}

} // namespace ipcbox::clocks
