// A body of texts and files that is read while it is sent: a form with uploads.
#pragma once

#include "http/body_source.h"
#include "http/form.h"

#include <memory>
#include <vector>

namespace ipcbox::download {

class PieceSource : public http::BodySource {
  public:
    // Opens the files. PIECES must outlive the source. Throws TransferError with status
    // cannot_read.
    explicit PieceSource(const std::vector<http::BodyPiece>& pieces);

    // The sum of all lengths, if every file is a regular one.
    [[nodiscard]] std::optional<std::uint64_t> length() const override { return length_; }
    [[nodiscard]] std::optional<std::size_t> read(std::span<std::byte> into) override;
    [[nodiscard]] int waits_for() const override;
    void rewind() override;

  private:
    void begin(std::size_t piece);

    std::vector<std::unique_ptr<http::BodySource>> sources_;
    std::optional<std::uint64_t> length_ = 0;
    std::size_t piece_ = 0;             // the one that is being read
    std::optional<std::uint64_t> left_; // of it, if its length is known
};

} // namespace ipcbox::download
