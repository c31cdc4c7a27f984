// Undoes the compression that a server applied for the transfer (RFC 9110, section 8.4), piece by
// piece.
#pragma once

#include "http/response_parser.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <vector>

namespace ipcbox::http {

enum class Coding { gzip, deflate };

// The codings that the Content-Encoding fields of HEAD name, in the order in which they were
// applied (RFC 9110, section 8.4). An empty word, "identity" and "none" change nothing and are left
// out. Throws TransferError with status bad_encoding for any other word, and for more than
// max_codings.
[[nodiscard]] std::vector<Coding> codings_of(const ResponseHead& head);
inline constexpr std::size_t max_codings = 5; // as curl

class ContentDecoder {
  public:
    using Output = std::function<void(std::string_view)>;

    // CODINGS are in the order in which the server applied them. The last is undone first.
    explicit ContentDecoder(const std::vector<Coding>& codings);
    ~ContentDecoder();
    ContentDecoder(const ContentDecoder&) = delete;
    ContentDecoder& operator=(const ContentDecoder&) = delete;

    // A body is a gzip bomb when it grows to more than MAX_RATIO times its size and has more than
    // FREE_BYTES. (Deflate's own limit is 1032. Text reaches 10, and a repetitive log 200.)
    static constexpr std::uint64_t max_ratio = 500;
    static constexpr std::uint64_t free_bytes = 16UL * 1024 * 1024;

    // Decodes IN and gives the result to OUT, in pieces of at most 64 KiB. Several gzip members in
    // a row are one text (RFC 1952, section 2.2). All other bytes after the end are ignored, as
    // gzip(1) and browsers do. "deflate" is zlib's format (RFC 1950) or, as many servers send it,
    // the bare one (RFC 1951). Throws Error, with curl's status 61, when the format is wrong, its
    // checksum does not match, or it is a bomb. Throws what OUT throws; do not use the decoder
    // after that.
    void decode(std::string_view in, const Output& out);

    // The body has ended. Throws the same when the end came too early. A body without any byte is
    // whole: that of a HEAD request or of an empty file.
    void finish() const;

  private:
    class Stream;
    void decode_from(std::size_t stream, std::string_view in, const Output& out);

    std::vector<std::unique_ptr<Stream>> streams_; // the last coding's first
    std::uint64_t taken_ = 0;
    std::uint64_t given_ = 0;
};

// A decoder for CODINGS; null when there are none.
[[nodiscard]] std::unique_ptr<ContentDecoder> decoder_for(const std::vector<Coding>& codings);

} // namespace ipcbox::http
