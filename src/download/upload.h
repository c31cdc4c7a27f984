// The body of a request from a file or from standard input.
#pragma once

#include "core/fd.h"
#include "http/body_source.h"

#include <cstdint>
#include <optional>
#include <string>

namespace ipcbox::download {

class Upload : public http::BodySource {
  public:
    // Opens FILE; "-" is standard input. Throws TransferError with status cannot_read.
    explicit Upload(const std::string& file);

    // The length of a regular file; nothing for others.
    [[nodiscard]] std::optional<std::uint64_t> length() const override { return length_; }
    [[nodiscard]] std::optional<std::size_t> read(std::span<std::byte> into) override;
    [[nodiscard]] int waits_for() const override;
    void rewind() override;

  private:
    std::string name_;
    Fd file_; // none: standard input
    std::optional<std::uint64_t> length_;
    bool is_begun_ = false;
};

} // namespace ipcbox::download
