#include "tls/exchange.h"

#include "core/error.h"
#include "core/poll.h"
#include "core/syscall.h"
#include "net/tls_protocol.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ipcbox::tls {

using namespace tls_protocol;

namespace {

constexpr short gone = POLLERR | POLLHUP;

short events_for(Outcome outcome) {
    return outcome == Outcome::wants_read    ? short{POLLIN}
           : outcome == Outcome::wants_write ? short{POLLOUT}
                                             : short{0};
}

} // namespace

Exchange::Exchange(Channel& channel, const Ends& ends, Say say)
    : channel_(channel), ends_(ends), say_(std::move(say)) {}

void Exchange::shake_hands(int waits) {
    for (Outcome outcome{}; (outcome = channel_.shake_hands()) != Outcome::done;) {
        std::array entries{pollfd{ends_.network, events_for(outcome), 0}, pollfd{waits, 0, 0}};
        (void)poll_until(entries, Deadline::never());
        if ((entries[1].revents & gone) != 0) throw Abandoned{};
    }
}

// Each direction has one buffer. While a full buffer waits, we do not read from its source. The
// other direction goes on.
void Exchange::run() {
    while (!received_all_ || !sent_all_)
        if (const bool received = receive(); !send() && !received) wait();
}

// No process reads the received bytes any more.
void Exchange::lose_other_end() {
    if (!ends_.is_one_socket()) throw Abandoned{};
    received_ = {};
    received_all_ = true;
}

// Moves bytes from the network to the other end; false when nothing moved.
bool Exchange::receive() {
    receive_events_ = plain_events_ = 0;
    if (received_all_) return false;
    if (received_.empty() && !ending_) fill();
    if (received_.empty()) {
        if (ending_) finish_receiving();
        return ending_.has_value();
    }
    const auto written = sys::call("write", ::write, ends_.received_to,
                                   static_cast<const void*>(received_.data()), received_.size());
    if (written < 0 && errno == EAGAIN) {
        plain_events_ = POLLOUT;
        return false;
    }
    if (written < 0 && errno != EINTR) {
        lose_other_end();
        return true;
    }
    received_ = received_.subspan(static_cast<std::size_t>(std::max(written, ssize_t{0})));
    return true;
}

// Reads the records that are there, up to the size of the buffer.
void Exchange::fill() {
    std::size_t filled = 0;
    try {
        while (filled < received_size && !ending_) {
            const auto step = channel_.read(std::span{received_buffer_}.subspan(filled));
            filled += step.bytes;
            if (step.outcome == Outcome::ended) ending_ = closed;
            if (step.outcome == Outcome::done) continue;
            receive_events_ = events_for(step.outcome);
            break;
        }
    } catch (const Error& error) {
        ending_ = fmt::format("{}{}", cut, error.what());
        sent_all_ = true;
    }
    received_ = std::span{received_buffer_}.first(filled);
}

void Exchange::finish_receiving() {
    say_(*ending_);
    if (ends_.is_one_socket())
        sys::call("shutdown", ::shutdown, ends_.received_to, SHUT_WR);
    else
        sys::call("close", ::close, ends_.received_to);
    received_all_ = true;
}

// Moves bytes from the other end to the network; false when nothing moved.
bool Exchange::send() {
    send_events_ = take_events_ = 0;
    if (sent_all_) return false;
    try {
        if (to_send_.empty() && !closing_) return take();
        const auto step = closing_ ? Step{channel_.close()} : channel_.write(to_send_);
        send_events_ = events_for(step.outcome);
        if (step.outcome != Outcome::done) return false;
        to_send_ = to_send_.subspan(step.bytes);
        sent_all_ = closing_;
    } catch (const Error& error) {
        say_(fmt::format("{}{}", unsent, error.what()));
        sys::call("shutdown", ::shutdown, ends_.sent_from,
                  SHUT_RD); // later writes fail with EPIPE
        sent_all_ = true;
    }
    return true;
}

bool Exchange::take() {
    const auto got = sys::call("read", ::read, ends_.sent_from,
                               static_cast<void*>(sent_buffer_.data()), sent_buffer_.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        take_events_ = POLLIN;
        return false;
    }
    // A program that ends with unread input resets its socket (unix(7)). We have already read its
    // output then.
    if (got < 0 && !ends_.is_one_socket()) throw Abandoned{};
    to_send_ = std::span{sent_buffer_}.first(static_cast<std::size_t>(std::max(got, ssize_t{0})));
    closing_ = got <= 0;
    return true;
}

void Exchange::wait() {
    const auto events = static_cast<short>(receive_events_ | send_events_);
    const auto both = static_cast<short>(plain_events_ | take_events_);
    const bool one = ends_.is_one_socket();
    // Leave the socket out. Even without events, poll(2) would report again and again that the
    // connection is gone.
    const bool asks_one = one && !(received_all_ && take_events_ == 0);
    std::array entries{
        pollfd{events != 0 ? ends_.network : -1, events, 0},
        pollfd{one             ? -1
               : received_all_ ? -1
                               : ends_.received_to,
               plain_events_, 0},
        pollfd{one && !asks_one ? -1 : ends_.sent_from, one ? both : take_events_, 0}};
    (void)poll_until(entries, Deadline::never());
    const bool nobody_reads = (entries[1].revents & POLLERR) != 0;
    const bool nobody_is_there = (entries[2].revents & gone) != 0;
    if (nobody_reads || nobody_is_there) lose_other_end();
}

} // namespace ipcbox::tls
