#include "http/connection.h"

#include "core/poll.h"
#include "core/syscall.h"
#include "http/bulk_move.h"
#include "net/socket_options.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/core.h>
#include <limits>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

namespace ipcbox::http {

namespace {

// Room for a small response, and where more comes at once, for many of them. (Memory that nothing
// comes into costs its first touch all the same.)
constexpr std::size_t first_buffer_size = 8UL * 1024;
constexpr std::size_t usual_buffer_size = 64UL * 1024;
// From so many bytes on, moving them is worth its preparation.
constexpr std::uint64_t bulk = 128UL * 1024;
constexpr std::uint64_t endless = std::numeric_limits<std::uint64_t>::max();

// Who never has to wait would never see that the time is over.
void in_time(Deadline deadline, std::string_view what) {
    if (deadline.passed()) throw TimedOut(what);
}

} // namespace

Connection::Connection(Fd socket) : socket_(std::move(socket)) {}
Connection::Connection(std::unique_ptr<net::TlsProcess> tls) : tls_(std::move(tls)) {}
Connection::~Connection() = default;

std::string_view Connection::unread() const {
    return {buffer_.data() + begin_, end_ - begin_};
}

bool Connection::is_quiet() const {
    return begin_ == end_ && !wait_for(in(), POLLIN, Deadline::after({}));
}

bool Connection::send(std::string_view bytes, Deadline deadline) {
    while (!bytes.empty()) {
        in_time(deadline, "send the request");
        const ssize_t sent =
            sys::call("send", ::send, out(), static_cast<const void*>(bytes.data()), bytes.size(),
                      MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent >= 0) {
            bytes.remove_prefix(static_cast<std::size_t>(sent));
            continue;
        }
        if (errno == EINTR) continue;
        if (errno == EPIPE || errno == ECONNRESET) {
            open_ = false;
            return false;
        }
        if (errno != EAGAIN) {
            // Nobody will answer what was not sent.
            open_ = false;
            throw ConnectionLost(fmt::format("cannot send the request: {}", error_text(errno)),
                                 status::cannot_send, Begun::no);
        }
        std::array entries{pollfd{out(), POLLOUT, 0}, pollfd{in(), POLLIN, 0}};
        if (poll_until(entries, deadline) == 0) throw TimedOut("send the request");
        if (entries[0].revents == 0) {
            open_ = false; // an answer to what it has not got whole
            return false;
        }
    }
    return true;
}

void Connection::wait(Deadline deadline) {
    if (before_wait_) before_wait_();
    // Acknowledge what has come at once, this time: a server may hold back the next response until
    // then (RFC 896), and we have nothing to send with which the acknowledgement could go.
    if (socket_) (void)net::set_socket_option(socket_, IPPROTO_TCP, TCP_QUICKACK, 1);
    if (!wait_for(in(), POLLIN, deadline)) throw TimedOut("wait for the server");
}

// The bytes; 0 at the end of file, nothing when there is nothing yet.
std::optional<std::size_t> Connection::receive(std::span<char> into) {
    void* const start = into.data();
    for (;;) {
        const ssize_t got = socket_
                                ? sys::call("recv", ::recv, in(), start, into.size(), MSG_DONTWAIT)
                                : sys::call("read", ::read, in(), start, into.size());
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno == EAGAIN) return std::nullopt;
        if (errno != EINTR) break_off(errno, begin_ != end_ ? Begun::yes : Begun::no);
    }
}

// False at the end of file.
bool Connection::read_more(Deadline deadline) {
    if (begin_ > 0) {
        std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
        end_ -= std::exchange(begin_, 0);
    }
    if (buffer_.size() - end_ < first_buffer_size / 2)
        buffer_.resize(std::max(first_buffer_size, buffer_.size() * 2));
    for (;;) {
        in_time(deadline, "receive the document");
        const auto room = std::span{buffer_}.subspan(end_);
        if (const auto got = receive(room)) {
            end_ += *got;
            if (end_ == buffer_.size() && end_ < usual_buffer_size)
                buffer_.resize(usual_buffer_size);
            return *got > 0;
        }
        wait(deadline);
    }
}

ResponseHead Connection::read_head(ResponseParser::Asked asked, Deadline deadline) {
    parser_ = std::make_unique<ResponseParser>(asked);
    ++responses_;
    for (;;) {
        take(parser_->parse_head(unread()));
        if (parser_->has_head()) break;
        if (read_more(deadline)) continue;
        open_ = false;
        if (tls_) tls_->check_end(deadline);
        if (unread().empty())
            throw ConnectionLost("the server closed the connection without an answer",
                                 status::nothing_came, Begun::no);
        throw ConnectionLost("the server closed the connection within the head",
                             status::cannot_receive, Begun::yes);
    }
    if (!parser_->keeps_alive()) open_ = false;
    body_is_read_ = parser_->framing() == ResponseParser::Framing::none;
    return std::move(parser_->head());
}

std::optional<std::uint64_t> Connection::body_length() const {
    switch (parser_->framing()) {
    case ResponseParser::Framing::none:
        return 0;
    case ResponseParser::Framing::length:
        return parser_->length();
    default:
        return std::nullopt;
    }
}

void Connection::read_body(BodySink& sink, Deadline deadline) {
    switch (parser_->framing()) {
    case ResponseParser::Framing::none:
        break;
    case ResponseParser::Framing::length:
        read_plain(sink, parser_->length(), deadline);
        break;
    case ResponseParser::Framing::chunked:
        read_chunked(sink, deadline);
        break;
    case ResponseParser::Framing::until_close:
        read_plain(sink, std::nullopt, deadline);
        break;
    }
    body_is_read_ = true;
}

void Connection::break_off(int error, Begun begun) {
    open_ = false;
    throw ConnectionLost(fmt::format("the connection broke: {}", error_text(error)),
                         status::cannot_receive, begun);
}

// What is not whole is a failure; without a length, the end of file is the end.
void Connection::end_of_body(std::optional<std::uint64_t> left, Deadline deadline) {
    if (left)
        throw ConnectionLost(fmt::format("the body ended too early: {} bytes are missing", *left),
                             status::partial, Begun::yes);
    if (tls_) tls_->check_end(deadline);
}

void Connection::read_plain(BodySink& sink, std::optional<std::uint64_t> left, Deadline deadline) {
    while (left != 0) {
        const auto here = unread().substr(0, left.value_or(unread().size()));
        if (!here.empty()) {
            sink.write(here);
            take(here.size());
            if (left) *left -= here.size();
        } else if (const auto to = sink.direct(); to && left.value_or(bulk) >= bulk) {
            return move(sink, *to, left, deadline);
        } else if (!read_more(deadline)) {
            return end_of_body(left, deadline);
        }
    }
}

void Connection::move(BodySink& sink, BodySink::Direct to, std::optional<std::uint64_t> left,
                      Deadline deadline) {
    BulkMove mover{in(), to.fd, to.object};
    while (left != 0) {
        in_time(deadline, "receive the document");
        const auto step = mover.step(left.value_or(endless), deadline);
        switch (step.outcome) {
        case BulkMove::Step::Outcome::moved:
            if (left) *left -= step.size;
            sink.moved(step.size);
            break;
        case BulkMove::Step::Outcome::would_wait:
            wait(deadline);
            break;
        case BulkMove::Step::Outcome::ended:
            return end_of_body(left, deadline);
        case BulkMove::Step::Outcome::failed:
            break_off(step.error, Begun::yes);
        }
    }
}

void Connection::read_chunked(BodySink& sink, Deadline deadline) {
    const auto to_sink = [&sink](std::string_view content) { sink.write(content); };
    for (;;) {
        take(parser_->parse_chunked(unread(), to_sink));
        if (parser_->is_done()) return;
        if (unread().size() > ResponseParser::most_head_bytes)
            throw ProtocolError("the body cannot be understood: a chunk's head without end");
        if (!read_more(deadline))
            throw ConnectionLost("the body ended too early", status::partial, Begun::yes);
    }
}

} // namespace ipcbox::http
