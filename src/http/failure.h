// The failures of a transfer, with curl(1)'s exit statuses, which scripts know. ipcbox-webget(1)
// documents this table.
#pragma once

#include "core/error.h"

namespace ipcbox::http {

namespace status {
inline constexpr int protocol_not_allowed = 1; // --proto
inline constexpr int malformed_url = 3;
inline constexpr int cannot_resolve_proxy = 5;
inline constexpr int cannot_resolve = 6;
inline constexpr int cannot_connect = 7;
inline constexpr int not_http = 8;
inline constexpr int partial = 18; // the body ended too early
inline constexpr int http_error = 22;
inline constexpr int cannot_write = 23;
inline constexpr int cannot_read = 26; // the body to send
inline constexpr int timed_out = 28;
inline constexpr int cannot_resume = 33;
inline constexpr int too_many_redirects = 47;
inline constexpr int nothing_came = 52;
inline constexpr int cannot_send = 55;
inline constexpr int cannot_receive = 56; // the connection was reset
inline constexpr int bad_encoding = 61;
inline constexpr int too_large = 63;
inline constexpr int cannot_log_in = 94;
inline constexpr int proxy_refused = 97; // a SOCKS proxy
inline constexpr int bad_checksum = 102; // curl has none
} // namespace status

// A transfer failed in one of these ways.
class TransferError : public Error {
  public:
    using Error::Error;
};

// The proxy gives no tunnel: it answered the request for one with ANSWER.
class TunnelRefused : public TransferError {
  public:
    TunnelRefused(std::string message, int answer)
        : TransferError(std::move(message), status::cannot_receive), answer_(answer) {}
    [[nodiscard]] int answer() const noexcept { return answer_; }

  private:
    int answer_;
};

// The server's answer is not HTTP, or is too ambiguous to be safe.
class ProtocolError : public TransferError {
  public:
    explicit ProtocolError(std::string message)
        : TransferError(std::move(message), status::not_http) {}
};

} // namespace ipcbox::http
