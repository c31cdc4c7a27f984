// The bytes of a gRPC server: the frames of RFC 9113, and the headers of RFC 7541 without any
// compression.
#pragma once

#include <string>

namespace ipcbox::test::grpc {

constexpr char end_stream = 1;
constexpr char end_headers = 4;
constexpr char headers_type = 1;
constexpr char data_type = 0;

inline std::string frame(char type, char flags, char stream, const std::string& payload) {
    const auto size = payload.size();
    return std::string{'\0',
                       static_cast<char>(size >> 8U),
                       static_cast<char>(size & 0xffU),
                       type,
                       flags,
                       '\0',
                       '\0',
                       '\0',
                       stream} +
           payload;
}

inline std::string header(const std::string& name, const std::string& value) {
    return '\0' + (static_cast<char>(name.size()) + name) +
           (static_cast<char>(value.size()) + value);
}

inline const std::string settings = frame(4, 0, 0, "");

inline std::string head(char stream, const std::string& status = "200",
                        const std::string& type = "application/grpc", char flags = end_headers) {
    return frame(headers_type, flags, stream,
                 header(":status", status) + header("content-type", type));
}

inline std::string trailers(char stream, const std::string& status,
                            const std::string& message = "") {
    auto fields = header("grpc-status", status);
    if (!message.empty()) fields += header("grpc-message", message);
    return frame(headers_type, end_headers | end_stream, stream, fields);
}

inline std::string message(const std::string& text) {
    return '\0' + std::string{'\0', '\0', '\0', static_cast<char>(text.size())} + text;
}

} // namespace ipcbox::test::grpc
