// What comes on one stream of gRPC, put together: the messages, and the status at its end
// (grpc/doc/PROTOCOL-HTTP2.md).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ipcbox::etcd {

// grpc/doc/statuscodes.md
enum class GrpcCode : std::uint8_t {
    ok = 0,
    canceled = 1,
    unknown = 2,
    invalid_argument = 3,
    deadline_exceeded = 4,
    not_found = 5,
    already_exists = 6,
    permission_denied = 7,
    resource_exhausted = 8,
    failed_precondition = 9,
    aborted = 10,
    out_of_range = 11,
    unimplemented = 12,
    internal = 13,
    unavailable = 14,
    data_loss = 15,
    unauthenticated = 16,
};

struct GrpcStatus {
    GrpcCode code = GrpcCode::ok;
    std::string message; // decoded, not cleaned of control characters
    // The server is no gRPC server, or its certificate is not trusted: another attempt does not
    // help.
    bool is_hopeless = false;
};

// The status of a call that the server did not carry out, as far as is known.
[[nodiscard]] GrpcStatus unavailable(std::string message);
[[nodiscard]] GrpcStatus hopeless(std::string message);

// An HTTP/2 server's first bytes must be a SETTINGS frame (RFC 9113, section 3.4). Says what
// another server is; one that sent fewer bytes than greeting_size sent no more.
inline constexpr std::size_t greeting_size = 9;
[[nodiscard]] std::optional<std::string> what_is_wrong_with(std::string_view greeting);

class GrpcStream {
  public:
    // A header of the answer, or a trailer.
    void take_header(std::string_view name, std::string_view value);
    // Bytes of the body. They are dropped when it is not gRPC.
    void take_data(std::string_view bytes);

    // The next whole message that has come.
    [[nodiscard]] std::optional<std::string> next_message();
    // The message that comes is too long, or compressed: nothing after it can be read.
    [[nodiscard]] bool is_unreadable() const { return is_unreadable_; }

    // What the end of the stream means. ERROR are HTTP/2's words for how it ended.
    [[nodiscard]] GrpcStatus status(std::string_view error) const;

    std::string to_send;
    bool sends_no_more = false; // what to_send has is the last

  private:
    [[nodiscard]] bool is_grpc() const;

    std::string received_; // from the beginning of a message on
    bool is_unreadable_ = false;
    std::string http_status_;
    std::string content_type_;
    std::optional<int> grpc_status_;
    std::string grpc_message_;
};

} // namespace ipcbox::etcd
