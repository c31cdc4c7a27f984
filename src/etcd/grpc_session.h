// The protocol of one gRPC connection, without the connection: the caller feeds in what the server
// sent, and sends what to_send() says. It is nghttp2 behind a plain facade.
#pragma once

#include "etcd/grpc_stream.h"

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

struct nghttp2_session;

namespace ipcbox::etcd {

struct GrpcHeader {
    std::string name; // in lower case
    std::string value;
};

class GrpcSession {
  public:
    using StreamId = std::int32_t;
    enum class End : std::uint8_t { no, yes };

    struct Event {
        enum class Kind : std::uint8_t { message, ended } kind;
        StreamId stream;
        std::string message; // for message
        GrpcStatus status;   // for ended, which comes once, last, but not after cancel()
    };

    GrpcSession();
    ~GrpcSession();
    GrpcSession(const GrpcSession&) = delete;
    GrpcSession& operator=(const GrpcSession&) = delete;

    // Begins a call with all HEADERS, those of HTTP/2 (":method") first. Throws Error.
    [[nodiscard]] StreamId open(const std::vector<GrpcHeader>& headers);
    // Queues one message. With End::yes it is the last.
    void send(StreamId stream, std::string_view message, End end);
    // Tells the server that nobody waits for this stream any more. No event of it comes after this.
    void cancel(StreamId stream);
    // The connection is lost: ends all streams, for this reason.
    void end_all(const GrpcStatus& why);
    // What has come, in order.
    [[nodiscard]] std::optional<Event> next();

    // Takes in what the server sent. Throws Error when no more calls can go over this connection.
    void feed(std::string_view bytes);
    // The next bytes to send, until the next call of anything here; empty when there are none now.
    // Throws Error.
    [[nodiscard]] std::string_view to_send();
    [[nodiscard]] bool has_to_send() const;
    // Whether nothing can be sent or received any more.
    [[nodiscard]] bool is_over() const;
    // Whether the server has spoken HTTP/2.
    [[nodiscard]] bool is_established() const { return established_; }

  private:
    struct Callbacks;

    [[nodiscard]] GrpcStream* find(StreamId id);
    void end(StreamId id, std::uint32_t error);
    void refuse(StreamId id);

    nghttp2_session* session_ = nullptr;
    std::map<StreamId, GrpcStream> streams_;
    std::deque<Event> events_;
    bool established_ = false;
    bool is_told_to_go_ = false;
};

} // namespace ipcbox::etcd
