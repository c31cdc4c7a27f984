// gRPC over one HTTP/2 connection (grpc/doc/PROTOCOL-HTTP2.md, RFC 9113), as a client: several
// streams at once, and nothing here ever waits. The socket may still be connecting, and TLS may
// still be shaking hands.
//
//     GrpcConnection connection{std::move(socket), "host:2379"};
//     const auto stream = connection.open("/etcdserverpb.KV/Range", {{"token", token}});
//     connection.send(stream, message, GrpcConnection::End::yes);
//     for (;;) {
//         poll_until(connection.poll_entries(), deadline);
//         connection.work();
//         while (const auto event = connection.next()) …
//     }
//
// When the connection breaks, each of its streams ends with the status `unavailable`, which the
// server did not send, and is_open() is false from then on.
#pragma once

#include "cluster/grpc_stream.h"
#include "core/fd.h"
#include "net/tls_process.h"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::cluster {

struct GrpcHeader {
    std::string name; // in lower case
    std::string value;
};

class GrpcConnection {
  public:
    using StreamId = std::int32_t;
    enum class End : std::uint8_t { no, yes };

    struct Event {
        enum class Kind : std::uint8_t { message, ended } kind;
        StreamId stream;
        std::string message; // for message
        GrpcStatus status;   // for ended, which comes once, last, but not after cancel()
    };

    // SOCKET is non-blocking; AUTHORITY is "host:port".
    GrpcConnection(Fd socket, std::string authority);
    GrpcConnection(std::unique_ptr<net::TlsProcess> tls, std::string authority);
    ~GrpcConnection();
    GrpcConnection(const GrpcConnection&) = delete;
    GrpcConnection& operator=(const GrpcConnection&) = delete;

    [[nodiscard]] StreamId open(std::string_view path, const std::vector<GrpcHeader>& headers);
    // Queues one message. With End::yes it is the last.
    void send(StreamId stream, std::string_view message, End end);
    // Tells the server that nobody waits for this stream any more. No event of it comes after this.
    void cancel(StreamId stream);

    // What to wait for: fd is -1 for an entry that is not used.
    [[nodiscard]] std::array<pollfd, 2> poll_entries() const;
    // Sends and receives as much as is possible without waiting.
    void work();
    // Sends as much as is possible without waiting, and receives nothing: the descriptor stays
    // readable for what has come.
    void flush();
    // What has come, in order.
    [[nodiscard]] std::optional<Event> next();

    [[nodiscard]] bool is_open() const { return !broken_; }
    // Whether the server has spoken HTTP/2.
    [[nodiscard]] bool is_established() const { return established_; }
    // Why the connection is no longer open.
    [[nodiscard]] const GrpcStatus& why_broken() const { return why_broken_; }

  private:
    struct Session; // nghttp2's, behind a plain facade

    void receive();
    void receive_end(int error);
    void feed(std::string_view bytes);
    void send_unsent();
    void break_off(GrpcStatus why);

    Fd socket_;
    std::unique_ptr<net::TlsProcess> tls_;
    std::string authority_;
    std::unique_ptr<Session> session_;
    std::deque<Event> events_;
    bool established_ = false;
    bool broken_ = false;
    GrpcStatus why_broken_;
};

} // namespace ipcbox::cluster
