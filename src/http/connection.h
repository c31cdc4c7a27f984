// One connection to an HTTP server or proxy: requests go out, and their responses come in, in the
// same order (RFC 9112, section 9.3). Bytes of a body do not come by our memory where the kernel
// can move them itself.
#pragma once

#include "core/deadline.h"
#include "core/fd.h"
#include "http/failure.h"
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

// The server closed or reset the connection. Whether a byte of this response had come decides what
// may be done about it.
enum class Begun { no, yes };
class ConnectionLost : public TransferError {
  public:
    ConnectionLost(std::string message, int status, Begun begun)
        : TransferError(std::move(message), status), begun_(begun) {}
    [[nodiscard]] bool had_begun() const { return begun_ == Begun::yes; }

  private:
    Begun begun_;
};

// Where a body goes.
class BodySink {
  public:
    BodySink() = default;
    BodySink(const BodySink&) = delete;
    BodySink& operator=(const BodySink&) = delete;
    virtual ~BodySink() = default;

    virtual void write(std::string_view bytes) = 0;
    // A descriptor to which the kernel may move bytes past write(); nothing when they all have to
    // be seen. What its errors are called is OBJECT.
    struct Direct {
        int fd;
        std::string_view object;
    };
    [[nodiscard]] virtual std::optional<Direct> direct() { return std::nullopt; }
    virtual void moved(std::uint64_t /*bytes*/) {}
};

class Connection {
  public:
    // A connected non-blocking socket.
    explicit Connection(Fd socket);
    explicit Connection(std::unique_ptr<net::TlsProcess> tls);
    ~Connection();
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    // Called whenever nothing has come yet and we are about to wait.
    void set_before_wait(std::function<void()> action) { before_wait_ = std::move(action); }

    // Sends all of BYTES unless the server closes or answers meanwhile: false, and the response
    // says why. Throws ConnectionLost, TimedOut.
    [[nodiscard]] bool send(std::string_view bytes, Deadline deadline);

    // The head of the next response; what was before it has to be read. Throws ConnectionLost,
    // ProtocolError, TimedOut.
    [[nodiscard]] ResponseHead read_head(ResponseParser::Asked asked, Deadline deadline);
    // What is known of its body: nothing when only the end of it will tell.
    [[nodiscard]] std::optional<std::uint64_t> body_length() const;
    // Its body, to SINK. Throws the same, and what SINK throws.
    void read_body(BodySink& sink, Deadline deadline);

    // Whether another request may be sent.
    [[nodiscard]] bool is_open() const { return open_ && body_is_read_; }
    // Whether the server keeps connections at all: it said so in its last head.
    [[nodiscard]] bool keeps_alive() const { return parser_ && parser_->keeps_alive(); }
    // How many heads were asked for so far.
    [[nodiscard]] int responses() const { return responses_; }
    // Nothing has come that was not asked for, an end of file neither.
    [[nodiscard]] bool is_quiet() const;

    // Gives up the socket, for TLS through a proxy's tunnel.
    [[nodiscard]] Fd release() { return std::move(socket_); }
    [[nodiscard]] const net::TlsProcess* tls() const { return tls_.get(); }

  private:
    [[nodiscard]] int in() const { return tls_ ? tls_->in() : socket_.get(); }
    [[nodiscard]] int out() const { return tls_ ? tls_->out() : socket_.get(); }
    [[nodiscard]] std::string_view unread() const;
    void take(std::size_t count) { begin_ += count; }
    [[nodiscard]] std::optional<std::size_t> receive(std::span<char> into);
    [[nodiscard]] bool read_more(Deadline deadline);
    void wait(Deadline deadline);
    void read_plain(BodySink& sink, std::optional<std::uint64_t> left, Deadline deadline);
    void move(BodySink& sink, BodySink::Direct to, std::optional<std::uint64_t> left,
              Deadline deadline);
    void read_chunked(BodySink& sink, Deadline deadline);
    void end_of_body(std::optional<std::uint64_t> left, Deadline deadline);
    [[noreturn]] void break_off(int error, Begun begun);

    Fd socket_;
    std::unique_ptr<net::TlsProcess> tls_;
    std::function<void()> before_wait_;
    std::unique_ptr<ResponseParser> parser_;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    int responses_ = 0;
    bool open_ = true;
    bool body_is_read_ = true;
};

} // namespace ipcbox::http
