// A source gives the body of a request, piece by piece.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ipcbox::http {

class BodySource {
  public:
    BodySource() = default;
    BodySource(const BodySource&) = delete;
    BodySource& operator=(const BodySource&) = delete;
    virtual ~BodySource() = default;

    // The size of the whole body; nothing when it is unknown until the end.
    [[nodiscard]] virtual std::optional<std::uint64_t> length() const = 0;

    // Stores the next bytes in INTO and returns how many: 0 at the end of the body. Returns nothing
    // when the next bytes are not there yet; then waits_for() becomes readable once they are. Never
    // blocks. Throws TransferError with status cannot_read.
    [[nodiscard]] virtual std::optional<std::size_t> read(std::span<std::byte> into) = 0;
    // The descriptor to wait for after read() gave nothing.
    [[nodiscard]] virtual int waits_for() const { return -1; }

    // As read(), and counts.
    [[nodiscard]] std::optional<std::size_t> take(std::span<std::byte> into) {
        const auto got = read(into);
        taken_ += got.value_or(0);
        return got;
    }
    // How many bytes take() gave since the last restart().
    [[nodiscard]] std::uint64_t taken() const { return taken_; }
    void restart() {
        taken_ = 0;
        rewind();
    }

    // Starts again from the first byte, for a request that is sent a second time. Does nothing
    // before the first read(). Throws TransferError with status cannot_send when the bytes cannot
    // be read again.
    virtual void rewind() = 0;

  private:
    std::uint64_t taken_ = 0;
};

// A body in memory. TEXT must outlive the source.
class TextSource : public BodySource {
  public:
    explicit TextSource(std::string_view text) : text_(text) {}
    [[nodiscard]] std::optional<std::uint64_t> length() const override { return text_.size(); }
    [[nodiscard]] std::optional<std::size_t> read(std::span<std::byte> into) override;
    void rewind() override { at_ = 0; }

  private:
    std::string_view text_;
    std::size_t at_ = 0;
};

} // namespace ipcbox::http
