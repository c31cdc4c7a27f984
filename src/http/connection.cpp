#include "http/connection.h"

#include "core/poll.h"
#include "core/syscall.h"
#include "http/bulk_move.h"
#include "net/address.h"
#include "net/socket_options.h"

#include <algorithm>
#include <array>
#include <fmt/core.h>
#include <limits>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <unistd.h>

namespace ipcbox::http {

namespace {

// From this many bytes on, a move inside the kernel saves more than its preparation costs.
constexpr std::uint64_t bulk = 128UL * 1024;
// A server that answers with this status or higher does not want the rest of the request's body.
constexpr int first_refusal = 300;
constexpr std::uint64_t endless = std::numeric_limits<std::uint64_t>::max();

[[noreturn]] void cannot_send(int error) {
    throw ConnectionLost(fmt::format("cannot send the request: {}", error_text(error)),
                         status::cannot_send, Begun::no);
}

// A transfer that never has to wait would not notice that its deadline has passed. So we look.
void in_time(Deadline deadline, std::string_view what) {
    if (deadline.passed()) throw TimedOut(what);
}

} // namespace

Connection::Connection(Fd socket) : socket_(std::move(socket)) {}
Connection::Connection(std::unique_ptr<net::TlsProcess> tls) : tls_(std::move(tls)) {}
Connection::Connection(std::unique_ptr<net::TlsProcess> tls, Ends ends)
    : tls_(std::move(tls)), ends_(std::move(ends)) {}
Connection::~Connection() = default;

Connection::Ends Connection::ends_of(const Fd& socket) {
    const auto endpoint = [](const net::Address& address) {
        const bool is_ip = address.family() == AF_INET || address.family() == AF_INET6;
        return is_ip ? Endpoint{address.host(), address.port()} : Endpoint{};
    };
    try {
        return {endpoint(net::local_address(socket.get())),
                endpoint(net::peer_address(socket.get()))};
    } catch (const SysError&) { // the socket is no longer connected
        return {};
    }
}

const Connection::Ends& Connection::ends() {
    if (!ends_) ends_ = ends_of(socket_);
    return *ends_;
}

bool Connection::is_quiet() const {
    return received_.unread().empty() && !wait_for(in(), POLLIN, Deadline::after({}));
}

void Connection::send(std::string_view heads) {
    outgoing_.add(heads);
    send_some();
}

void Connection::send(std::string_view head, RequestBody body) {
    outgoing_.add(head);
    sends_body_ = body.source != nullptr;
    if (sends_body_) outgoing_.add(std::move(body));
    send_some();
}

void Connection::send_some() {
    outgoing_.send_some(out());
    const int error = outgoing_.error();
    if (error == 0) return;
    open_ = false;
    // After one of these errors, the server's answer may still wait to be read. After any other, no
    // answer will come.
    if (error != EPIPE && error != ECONNRESET) cannot_send(error);
}

// Waits for bytes from the server, and sends meanwhile; false when DEADLINE passed.
bool Connection::wait_until(Deadline deadline) {
    if (before_wait_) before_wait_();
    // Acknowledge the bytes at once this time: a server can hold back the next response until then
    // (RFC 896), and we have nothing to send that could carry the acknowledgement.
    if (socket_) (void)net::set_socket_option(socket_, IPPROTO_TCP, TCP_QUICKACK, 1);
    for (;;) {
        if (outgoing_.is_over()) return wait_for(in(), POLLIN, deadline);
        const auto [entry, until] = outgoing_.waits_for(out());
        std::array entries{pollfd{in(), POLLIN, 0}, entry};
        (void)poll_until(entries, std::min(deadline, until));
        // Look at the clock even while there is room to send: a server that always takes more would
        // keep us past the deadline.
        if (entries[0].revents == 0 && deadline.passed()) return false;
        send_some();
        if (entries[0].revents != 0) return true;
    }
}

void Connection::wait(Deadline deadline) {
    if (!wait_until(deadline))
        throw TimedOut(outgoing_.is_over() ? "waiting for the server" : "sending the request");
}

bool Connection::wait_for_answer(Deadline deadline) {
    return !received_.unread().empty() || wait_until(deadline);
}

// The answer is there, but it is valid only if the server got the whole request.
void Connection::finish_sending(Deadline deadline) {
    if (!std::exchange(sends_body_, false)) return;
    while (!outgoing_.is_over()) {
        in_time(deadline, "sending the request");
        auto [entry, until] = outgoing_.waits_for(out());
        if (poll_until({&entry, 1}, std::min(deadline, until)) == 0 && deadline.passed())
            throw TimedOut("sending the request");
        send_some();
    }
    if (outgoing_.has_body())
        throw TransferError(fmt::format("the server did not accept the whole body: {}",
                                        error_text(outgoing_.error())),
                            status::cannot_send);
    if (!tls_) return;
    // ipcbox-tls took the bytes, but the server may not have them yet.
    if (open_)
        tls_->check();
    else
        tls_->check_end(deadline);
}

// The number of bytes; 0 at the end of file, nothing when no byte has come yet.
std::optional<std::size_t> Connection::receive(std::span<char> into) {
    void* const start = into.data();
    for (;;) {
        const ssize_t got = socket_
                                ? sys::call("recv", ::recv, in(), start, into.size(), MSG_DONTWAIT)
                                : sys::call("read", ::read, in(), start, into.size());
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno == EAGAIN) return std::nullopt;
        if (errno != EINTR) break_off(errno, received_.unread().empty() ? Begun::no : Begun::yes);
    }
}

// False at the end of file.
bool Connection::read_more(Deadline deadline) {
    for (;;) {
        in_time(deadline, "receiving the document");
        if (const auto got = receive(received_.room())) {
            received_.add(*got);
            return *got > 0;
        }
        wait(deadline);
    }
}

ResponseHead Connection::read_head(ResponseParser::Asked asked, Deadline deadline) {
    parser_ = std::make_unique<ResponseParser>(asked);
    ++responses_;
    for (;;) {
        received_.take(parser_->parse_head(received_.unread()));
        if (parser_->interim_responses() > 0) outgoing_.release();
        if (parser_->has_head()) break;
        if (read_more(deadline)) continue;
        open_ = false;
        check_tls_end(deadline, received_.unread().empty() ? Begun::no : Begun::yes);
        // The reset of a connection shows only once: here, or when we sent.
        if (received_.unread().empty() && outgoing_.error() != 0) cannot_send(outgoing_.error());
        if (received_.unread().empty())
            throw ConnectionLost("the server closed the connection without an answer",
                                 status::nothing_came, Begun::no);
        throw ConnectionLost("the server closed the connection within the head",
                             status::cannot_receive, Begun::yes);
    }
    if (!parser_->keeps_alive()) open_ = false;
    if (outgoing_.has_body()) {
        outgoing_.release();
        if (parser_->head().status >= first_refusal) {
            open_ = false;
            sends_body_ = false;
            outgoing_.drop();
        }
    }
    body_is_read_ = parser_->framing() == ResponseParser::Framing::none;
    return std::move(parser_->head());
}

bool Connection::knows_end_of_body() const {
    return parser_->framing() != ResponseParser::Framing::until_close;
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
    finish_sending(deadline);
}

void Connection::break_off(int error, Begun begun) {
    open_ = false;
    throw ConnectionLost(fmt::format("the connection broke: {}", error_text(error)),
                         status::cannot_receive, begun);
}

// An incomplete body is a failure; without a length, the end of file is the end of the body.
void Connection::end_of_body(std::optional<std::uint64_t> left, Deadline deadline) {
    if (left)
        throw ConnectionLost(fmt::format("the body ended too early: {} bytes are missing", *left),
                             status::partial, Begun::yes);
    check_tls_end(deadline, Begun::yes);
}

// TLS shows whether the peer has announced the end of its data (RFC 8446, section 6.1). If not, the
// connection counts as lost, as after a reset.
void Connection::check_tls_end(Deadline deadline, Begun begun) {
    if (!tls_) return;
    try {
        tls_->check_end(deadline);
    } catch (const net::TlsError& error) {
        throw ConnectionLost(error.what(), error.curl_status(), begun);
    }
}

void Connection::read_plain(BodySink& sink, std::optional<std::uint64_t> left, Deadline deadline) {
    while (left != 0) {
        const auto here = received_.unread().substr(0, left.value_or(received_.unread().size()));
        if (!here.empty()) {
            sink.write(here);
            received_.take(here.size());
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
        in_time(deadline, "receiving the document");
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
        received_.take(parser_->parse_chunked(received_.unread(), to_sink));
        if (parser_->is_done()) {
            if (!parser_->keeps_alive()) open_ = false;
            return;
        }
        if (!read_more(deadline))
            throw ConnectionLost("the body ended too early", status::partial, Begun::yes);
    }
}

} // namespace ipcbox::http
