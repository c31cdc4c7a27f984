#include "etcd/grpc_stream.h"

#include "core/number.h"
#include "http/url.h"

#include <fmt/core.h>

namespace ipcbox::etcd {

namespace {

constexpr std::size_t prefix_size = 5;                 // before each message
constexpr std::size_t max_message = 4UL * 1024 * 1024; // what gRPC allows by default
constexpr std::size_t max_shown = 1000;                // of a text that the server sends

} // namespace

GrpcStatus unavailable(std::string message) {
    return {GrpcCode::unavailable, std::move(message), false};
}

GrpcStatus hopeless(std::string message) {
    return {GrpcCode::unavailable, std::move(message), true};
}

std::optional<std::string> what_is_wrong_with(std::string_view greeting) {
    constexpr char settings = 4;
    constexpr std::size_t type_at = 3;
    constexpr std::string_view tls_records = "\x15\x16"; // an alert, a handshake
    if (greeting.starts_with("HTTP/1."))
        return "it answers in HTTP/1.1: no etcd, or its gateway only";
    if (tls_records.find(greeting.front()) != std::string_view::npos)
        return "it speaks TLS: write https://";
    if (greeting.size() < greeting_size || greeting[type_at] != settings)
        return "it does not speak HTTP/2: no etcd";
    return std::nullopt;
}

void GrpcStream::take_header(std::string_view name, std::string_view value) {
    if (name == ":status")
        http_status_ = value;
    else if (name == "content-type")
        content_type_ = value.substr(0, max_shown);
    else if (name == "grpc-status")
        grpc_status_ = whole_number<int>(value).value_or(-1);
    else if (name == "grpc-message")
        grpc_message_ = http::percent_decoded(value.substr(0, max_shown));
}

bool GrpcStream::is_grpc() const {
    return http_status_ == "200" && content_type_.starts_with("application/grpc");
}

void GrpcStream::take_data(std::string_view bytes) {
    if (is_grpc() && !is_unreadable_) received_ += bytes;
}

std::optional<std::string> GrpcStream::next_message() {
    const std::string_view bytes{received_};
    if (bytes.size() < prefix_size) return std::nullopt;
    std::size_t size = 0;
    for (const char byte : bytes.substr(1, prefix_size - 1))
        size = size << 8U | static_cast<unsigned char>(byte);
    is_unreadable_ = bytes.front() != 0 || size > max_message;
    if (is_unreadable_ || bytes.size() < prefix_size + size) return std::nullopt;
    std::optional<std::string> message{bytes.substr(prefix_size, size)};
    received_.erase(0, prefix_size + size);
    return message;
}

GrpcStatus GrpcStream::status(std::string_view error) const {
    if (http_status_.empty()) return unavailable(fmt::format("it dropped the call ({})", error));
    // A proxy says this when its server does not answer, or has too much to do.
    if (http_status_ == "429" || (http_status_.starts_with("50") && http_status_ != "500"))
        return unavailable(fmt::format("it answers HTTP {}", http_status_));
    if (!is_grpc())
        return hopeless(fmt::format("it answers HTTP {} ({}), not gRPC: no etcd", http_status_,
                                    content_type_.empty() ? "no type" : content_type_));
    if (!grpc_status_) return unavailable("it ended the call without a status");
    const bool is_known =
        *grpc_status_ >= 0 && *grpc_status_ <= static_cast<int>(GrpcCode::unauthenticated);
    return {is_known ? static_cast<GrpcCode>(*grpc_status_) : GrpcCode::unknown, grpc_message_,
            false};
}

} // namespace ipcbox::etcd
