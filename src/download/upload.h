// What is sent behind a request's head from a file, as long as it takes.
#pragma once

#include "http/connection.h"

#include <cstdint>
#include <optional>
#include <string>

namespace ipcbox::download {

class Upload {
  public:
    // Opens FILE; "-" is standard input. Throws TransferError with status cannot_read.
    explicit Upload(const std::string& file);

    // What a regular file has; without it, the body is sent in chunks (RFC 9112, section 7.1).
    [[nodiscard]] const std::optional<std::uint64_t>& length() const { return length_; }
    // Sends all of it: what Connection::send() returned last. Throws TransferError, TimedOut.
    [[nodiscard]] bool send(http::Connection& connection, Deadline deadline) const;

  private:
    [[nodiscard]] std::size_t read(std::span<std::byte> into, Deadline deadline) const;

    std::string name_;
    Fd file_; // none: standard input
    std::optional<std::uint64_t> length_;
};

} // namespace ipcbox::download
