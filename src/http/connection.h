// One connection to an HTTP server or proxy: requests go out, and their responses come in, in the
// same order (RFC 9112, section 9.3). Where the kernel can move the bytes of a body itself, they do
// not pass through our memory.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"
#include "http/body_sink.h"
#include "http/failure.h"
#include "http/outgoing.h"
#include "http/receive_buffer.h"
#include "http/response_parser.h"
#include "net/tls_process.h"

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::http {

// The server closed or reset the connection. BEGUN says whether the request was sent, and whether a
// byte of its answer had come. That decides whether it may be sent again.
enum class Begun { not_even_asked, no, yes };
class ConnectionLost : public TransferError {
  public:
    ConnectionLost(std::string message, int status, Begun begun)
        : TransferError(std::move(message), status), begun_(begun) {}
    [[nodiscard]] bool had_begun() const { return begun_ == Begun::yes; }
    // The request was not sent.
    [[nodiscard]] bool was_before_request() const { return begun_ == Begun::not_even_asked; }

  private:
    Begun begun_;
};

// One end of a connection: an IP address, in its usual spelling, and a port. Both are empty for a
// Unix socket.
struct Endpoint {
    std::string ip;
    std::uint16_t port = 0;
};

class Connection {
  public:
    // A connected non-blocking socket.
    explicit Connection(Fd socket);
    explicit Connection(std::unique_ptr<net::TlsProcess> tls);
    struct Ends {
        Endpoint local;
        Endpoint remote;
    };
    // TLS over a socket with these ENDS.
    Connection(std::unique_ptr<net::TlsProcess> tls, Ends ends);
    [[nodiscard]] static Ends ends_of(const Fd& socket);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Sets a function to call whenever nothing has come yet and we are about to wait.
    void set_before_wait(std::function<void()> action) { before_wait_ = std::move(action); }

    // Sends heads of requests, and the body of the last one: as much as the server takes now, and
    // the rest while we wait for its answers. When the server closes or answers before it has
    // everything, its answer can still be read. Throws ConnectionLost, and what the body throws.
    void send(std::string_view heads);
    void send(std::string_view head, RequestBody body);

    // Waits until a byte of the next answer is there, or it is known that none will come. False
    // when DEADLINE passed first.
    [[nodiscard]] bool wait_for_answer(Deadline deadline);

    // Reads the head of the next response. Read the body before it first. Throws ConnectionLost,
    // ProtocolError, TimedOut.
    [[nodiscard]] ResponseHead read_head(ResponseParser::Asked asked, Deadline deadline);
    // False when the end of the connection is the end of its body.
    [[nodiscard]] bool knows_end_of_body() const;
    // The length of its body; nothing when it is unknown until the end.
    [[nodiscard]] std::optional<std::uint64_t> body_length() const;
    // Reads its body into SINK. An answer below 300 is a success only when the server has taken the
    // whole body of the request: this sends the rest of it, or throws TransferError with status
    // cannot_send. After any other answer it does not send the rest, and the connection cannot be
    // used again. Throws the same as read_head(), and what SINK throws.
    void read_body(BodySink& sink, Deadline deadline);

    // Whether another request may be sent.
    [[nodiscard]] bool is_open() const { return open_ && body_is_read_ && !outgoing_.has_body(); }
    // Whether the server keeps connections open, according to its last head.
    [[nodiscard]] bool keeps_alive() const { return parser_ && parser_->keeps_alive(); }
    // The number of heads that were asked for so far.
    [[nodiscard]] int responses() const { return responses_; }
    // Whether the server has sent nothing unasked, not even an end of file.
    [[nodiscard]] bool is_quiet() const;

    // Forbids further requests.
    void retire() { open_ = false; }
    // The ends of the connection, or of the connection to the proxy when there is one. Empty when
    // they are not known.
    [[nodiscard]] const Endpoint& local() { return ends().local; }
    [[nodiscard]] const Endpoint& remote() { return ends().remote; }

    // Gives up the socket, for TLS through a proxy's tunnel.
    [[nodiscard]] Fd release() { return std::move(socket_); }
    [[nodiscard]] const net::TlsProcess* tls() const { return tls_.get(); }

  private:
    [[nodiscard]] const Ends& ends();
    [[nodiscard]] int in() const { return tls_ ? tls_->in() : socket_.get(); }
    [[nodiscard]] int out() const { return tls_ ? tls_->out() : socket_.get(); }
    [[nodiscard]] std::optional<std::size_t> receive(std::span<char> into);
    [[nodiscard]] bool read_more(Deadline deadline);
    void send_some();
    void finish_sending(Deadline deadline);
    void wait(Deadline deadline);
    [[nodiscard]] bool wait_until(Deadline deadline);
    void check_tls_end(Deadline deadline, Begun begun);
    void read_plain(BodySink& sink, std::optional<std::uint64_t> left, Deadline deadline);
    void move(BodySink& sink, BodySink::Direct to, std::optional<std::uint64_t> left,
              Deadline deadline);
    void read_chunked(BodySink& sink, Deadline deadline);
    void end_of_body(std::optional<std::uint64_t> left, Deadline deadline);
    [[noreturn]] void break_off(int error, Begun begun);

    Fd socket_;
    std::unique_ptr<net::TlsProcess> tls_;
    std::optional<Ends> ends_; // once they were asked for
    std::function<void()> before_wait_;
    Outgoing outgoing_;
    bool sends_body_ = false; // the request that is answered next has one
    std::unique_ptr<ResponseParser> parser_;
    ReceiveBuffer received_;
    int responses_ = 0;
    bool open_ = true;
    bool body_is_read_ = true;
};

} // namespace ipcbox::http
