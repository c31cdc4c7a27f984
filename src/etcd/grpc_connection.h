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

#include "core/fd.h"
#include "etcd/grpc_session.h"
#include "net/tls_process.h"

#include <array>
#include <memory>
#include <optional>
#include <poll.h>
#include <string>
#include <string_view>
#include <vector>

namespace ipcbox::etcd {

class GrpcConnection {
  public:
    using StreamId = GrpcSession::StreamId;
    using End = GrpcSession::End;
    using Event = GrpcSession::Event;

    // SOCKET is non-blocking; AUTHORITY is "host:port".
    GrpcConnection(Fd socket, std::string authority);
    GrpcConnection(std::unique_ptr<net::TlsProcess> tls, std::string authority);
    ~GrpcConnection();
    GrpcConnection(const GrpcConnection&) = delete;
    GrpcConnection& operator=(const GrpcConnection&) = delete;

    [[nodiscard]] StreamId open(std::string_view path, const std::vector<GrpcHeader>& headers);
    // As in GrpcSession.
    void send(StreamId stream, std::string_view message, End end) {
        session_.send(stream, message, end);
    }
    void cancel(StreamId stream) { session_.cancel(stream); }
    [[nodiscard]] std::optional<Event> next() { return session_.next(); }

    // What to wait for: fd is -1 for an entry that is not used.
    [[nodiscard]] std::array<pollfd, 2> poll_entries() const;
    // Sends and receives as much as is possible without waiting.
    void work();
    // Sends as much as is possible without waiting, and receives nothing: the descriptor stays
    // readable for what has come.
    void flush();

    [[nodiscard]] bool is_open() const { return !broken_; }
    [[nodiscard]] bool is_established() const { return session_.is_established(); }
    // Why the connection is no longer open.
    [[nodiscard]] const GrpcStatus& why_broken() const { return why_broken_; }

  private:
    void receive();
    void receive_end(int error);
    void feed(std::string_view bytes);
    void send_unsent();
    void break_off(GrpcStatus why);

    Fd socket_;
    std::unique_ptr<net::TlsProcess> tls_;
    std::string authority_;
    GrpcSession session_;
    std::string greeting_; // the first bytes, until they are enough to tell what the server is
    std::string unsent_;
    bool broken_ = false;
    GrpcStatus why_broken_;
};

} // namespace ipcbox::etcd
