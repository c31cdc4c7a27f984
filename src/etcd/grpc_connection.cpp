#include "etcd/grpc_connection.h"

#include "core/error.h"
#include "core/syscall.h"
#include "net/tls_protocol.h"

#include <cerrno>
#include <sys/socket.h>
#include <unistd.h>

namespace ipcbox::etcd {

namespace {

// Whether the server does not want to talk, or we do not. If the connection just breaks, we do not
// know.
bool is_refusal(const net::TlsError& error) {
    const bool is_cut = error.curl_status() == tls_protocol::cut_off;
    // In TLS 1.3, the server checks our certificate after the handshake is over for us.
    return is_cut ? std::string_view{error.what()}.find(" alert ") != std::string_view::npos
                  : !error.is_lost();
}

} // namespace

GrpcConnection::GrpcConnection(Fd socket, std::string authority)
    : socket_(std::move(socket)), authority_(std::move(authority)) {}

GrpcConnection::GrpcConnection(std::unique_ptr<net::TlsProcess> tls, std::string authority)
    : tls_(std::move(tls)), authority_(std::move(authority)) {}

GrpcConnection::~GrpcConnection() = default;

GrpcConnection::StreamId GrpcConnection::open(std::string_view path,
                                              const std::vector<GrpcHeader>& headers) {
    std::vector<GrpcHeader> all{{":method", "POST"},          {":scheme", tls_ ? "https" : "http"},
                                {":path", std::string{path}}, {":authority", authority_},
                                {"te", "trailers"},           {"content-type", "application/grpc"}};
    all.insert(all.end(), headers.begin(), headers.end());
    return session_.open(all);
}

std::array<pollfd, 2> GrpcConnection::poll_entries() const {
    if (broken_) return {{{-1, 0, 0}, {-1, 0, 0}}};
    const bool sends = !unsent_.empty() || session_.has_to_send();
    const auto sending = static_cast<short>(sends ? POLLIN | POLLOUT : POLLIN);
    if (!tls_) return {{{socket_.get(), sending, 0}, {-1, 0, 0}}};
    return {{{tls_->in(), POLLIN, 0}, {tls_->out(), sending, 0}}}; // status lines come from out()
}

void GrpcConnection::work() {
    if (broken_) return;
    try {
        if (tls_) tls_->check();
        receive();
        if (!broken_) send_unsent();
    } catch (const net::TlsError& error) {
        break_off({GrpcCode::unavailable, error.what(), !is_established() && is_refusal(error)});
    } catch (const Error& error) {
        break_off(unavailable(error.what()));
    }
}

void GrpcConnection::flush() {
    if (broken_) return;
    try {
        send_unsent();
    } catch (const Error& error) {
        break_off(unavailable(error.what()));
    }
}

void GrpcConnection::receive() {
    // Stop at some point: a server that always sends must not keep us from our other work.
    constexpr int max_rounds = 64;
    std::array<char, 16UL * 1024> buffer{};
    for (int round = 0; round < max_rounds && !broken_; ++round) {
        const int fd = tls_ ? tls_->in() : socket_.get();
        const auto got =
            sys::call("read", ::read, fd, static_cast<void*>(buffer.data()), buffer.size());
        if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
        if (got <= 0) return receive_end(got == 0 ? 0 : errno);
        feed({buffer.data(), static_cast<std::size_t>(got)});
    }
}

void GrpcConnection::receive_end(int error) {
    if (tls_) tls_->check(); // throws the reason if there is one
    if (!greeting_.empty() && greeting_.size() < greeting_size)
        return break_off(hopeless(*what_is_wrong_with(greeting_)));
    const bool is_closed = error == 0 || (error == ECONNRESET && !is_established());
    if (!is_closed) return break_off(unavailable(std::string{error_text(error)}));
    if (is_established()) return break_off(unavailable("it closed the connection"));
    break_off(unavailable(tls_ ? "it closed the connection without a word"
                               : "it closed the connection without a word (is it for https://?)"));
}

void GrpcConnection::feed(std::string_view bytes) {
    if (greeting_.size() < greeting_size) {
        greeting_ += bytes;
        if (greeting_.size() < greeting_size) return;
        if (auto wrong = what_is_wrong_with(greeting_))
            return break_off(hopeless(std::move(*wrong)));
        bytes = greeting_;
    }
    session_.feed(bytes);
}

void GrpcConnection::send_unsent() {
    for (;;) {
        if (unsent_.empty()) unsent_ = session_.to_send();
        if (unsent_.empty()) break;
        const int fd = tls_ ? tls_->out() : socket_.get();
        const auto sent = sys::call("send", ::send, fd, static_cast<const void*>(unsent_.data()),
                                    unsent_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
        // The server may have sent a reason before it closed. receive() gets it, and it says more
        // than EPIPE.
        if (sent < 0 && (errno == EAGAIN || errno == EPIPE || errno == ECONNRESET)) return;
        if (sent < 0) return break_off(unavailable(std::string{error_text(errno)}));
        unsent_.erase(0, static_cast<std::size_t>(sent));
    }
    if (session_.is_over()) break_off(unavailable("it made no sense in HTTP/2"));
}

void GrpcConnection::break_off(GrpcStatus why) {
    broken_ = true;
    session_.end_all(why);
    why_broken_ = std::move(why);
    socket_ = Fd{};
    tls_.reset();
}

} // namespace ipcbox::etcd
